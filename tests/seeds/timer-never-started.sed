# The breaker opens without a deadline.
s/now + open_for_ms(policy, attempt, seed)/0 * open_for_ms(policy, attempt, seed)/
