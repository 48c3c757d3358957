# The gate is changed under a lock in the shared memory: whoever is stopped there stops the others (here for as long as
# they have patience).
/^bool transition_swap(/,/^}/{
/^bool transition_swap(/i\
static void gate_unlock(uint64_t **lock)\
{\
    __atomic_store_n(*lock, 0, __ATOMIC_RELEASE);\
}
/    uint64_t from = /a\
    uint64_t *lock __attribute__((cleanup(gate_unlock))) = segment->workers[0].reserved;\
    for (int i = 0; i < 3000000 \&\& __atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE); i++)\
        ;
}
