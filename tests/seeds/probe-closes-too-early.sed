# The first probe that succeeds closes the breaker, whatever success_threshold says.
s/h\.successes >= policy->success_threshold/h.successes >= 1/
