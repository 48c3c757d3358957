# A worker settles a call that may be overdue by a plain store: the daemon has counted it as well.
/^static bool take_back_timed(/,/^}/c\
static bool take_back_timed(const struct segment *segment, au64 *entry, uint64_t call, struct actor holder)\
{\
    (void)segment, (void)holder;\
    atomic_store(entry, call | CALL_PENDING);\
    return true;\
}
