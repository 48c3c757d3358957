# The reaper passes over every second worker's chunk.
/^void workers_reap(/,/^}/s/dead\[owner - 1\] != 0/& \&\& owner % 2/
