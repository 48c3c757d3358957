# Who detaches keeps the lock on the number that it has given back.
/^void lane_destroy/,/^}/s/    guard_drop(lane->guard);//
