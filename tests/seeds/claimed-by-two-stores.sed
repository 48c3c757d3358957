# The gate is looked at and then stored, not swapped: two callers who come at once both take the same probe.
/^bool transition_swap(/,/^}/{
/    if (!atomic_compare_exchange/,/return false;/c\
    uint64_t found = atomic_load(\&shared->gate);\
    if (found != from) {\
        *word = found;\
        return false;\
    }\
    atomic_store(\&shared->gate, step.next);
}
