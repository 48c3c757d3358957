# A bulkhead place that no call in flight holds stays taken.
/^bool place_repair/,/^}/s/return holder != 0 /return holder == 0 /
