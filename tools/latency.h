/* How long calls take: percentiles of a histogram, and how a time this short reads. */
#ifndef TOOLS_LATENCY_H
#define TOOLS_LATENCY_H

#include <stdint.h>

#include <cbclient.h>

#define LATENCY_TEXT 24

/* "850us", "1.5ms", "12.3s". Returns `out`. */
const char *latency_text(uint64_t us, char out[LATENCY_TEXT]);

/* All calls in the histogram. */
uint64_t latency_count(const struct cb_latency *);

/* At least that many of a thousand calls took less than what is returned, in microseconds: the bound of a bucket, at
 * most a half above the true value. 0: no calls. */
uint64_t latency_permille(const struct cb_latency *, unsigned permille);

/* What came to `now` since `before`. A histogram that began anew between them is returned as it is. */
struct cb_latency latency_since(const struct cb_latency *now, const struct cb_latency *before);

#endif
