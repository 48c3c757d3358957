# The gate is swapped first, then the lane says that a probe is held: who dies in between leaves a probe that nobody has.
/^static bool attempt_enter/,/^}/s/attempt_store(a, CALL_PENDING);//
