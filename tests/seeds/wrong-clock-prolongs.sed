# What is left goes by the clock alone, which may have been set back.
s/uint64_t since = saved_ms > wall_ms ? saved_ms : wall_ms;/uint64_t since = saved_ms > wall_ms ? wall_ms : wall_ms;/
