# A forked child goes on with its parent's lane.
s/madvise(lane, sizeof \*lane, MADV_WIPEONFORK) != 0/0/
