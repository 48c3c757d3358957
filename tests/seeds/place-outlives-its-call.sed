# The lane entry is freed before the bulkhead place that it names: who dies in between keeps the place for ever.
/^int call_settle(/,/^}/{
/    if (held->place)/,/place_release/d
/^    return CALL_SETTLED;/i\
    if (held->place)\
        place_release(segment, held->place, held->entry - 1, held->call);
}
