# The streak is read, added to and stored: what another process adds in between is lost. The yield widens the gap, so
# that it shows on any machine.
/^static uint64_t streak_add/i\
#include <sched.h>\
#pragma push_macro("atomic_compare_exchange_weak_explicit")\
#undef atomic_compare_exchange_weak_explicit\
#define atomic_compare_exchange_weak_explicit(word, old, next, success, failure) \\\
    (sched_yield(), atomic_store((word), (next)), (void)(old), 1)
/^static uint64_t streak_add/,/^}/{
/^}/a\
#pragma pop_macro("atomic_compare_exchange_weak_explicit")
}
