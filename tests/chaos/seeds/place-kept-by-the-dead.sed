# The reaper settles a call and leaves its bulkhead place taken.
/^static void release_place(/,/^}/s/if ((word & CALL_PLACED)/if (!(word \& CALL_PLACED)/
