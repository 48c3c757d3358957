# Gates are not held against the events: what a killed worker could not note is never known.
/^static bool next_audited(/,/^}/s/if (g->own || g->hold_ms > 0)/if (true)/
