# Whoever gets the mutex of a dead writer goes on with the index as it lies there.
/^int panel_lock(/,/^}/s/index_repair(segment);//
