# Any name that begins like localhost is taken for it, whoever it belongs to.
/^bool http_host_is_ours/,/^}/s/strcasecmp(name, "localhost") == 0/strncasecmp(name, "localhost", 9) == 0/
