# A probe whose holder is stopped is waited for, however long.
/^static bool lease_lapsed(/,/^}/s/age >= policy->half_open_timeout_ms/age > LEASE_MASK - 2 * LEASE_SKEW_MS/
