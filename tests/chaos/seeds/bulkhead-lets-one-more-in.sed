# One place too many may be claimed.
/^static uint32_t claimable(/,/^}/{
s/uint32_t limit = .*;/uint32_t limit = view->place_length + 1;/
s/limit + behind > most/& + 1/
}
