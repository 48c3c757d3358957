/* Windows of recent outcomes: the last N exactly, or those of the last while. Each entry carries the epoch it belongs to,
 * so a transition or reset empties a window without touching it. */
#ifndef CORE_WINDOW_H
#define CORE_WINDOW_H

#include <stdbool.h>

#include "core/segment.h"

/* How a breaker's window is set up: from its policy. */
struct window {
    enum window_kind kind;
    uint32_t size; /* calls or milliseconds */
    uint32_t id;   /* count windows: entries of another id belong to an earlier set-up */
};

struct window_sum {
    uint64_t calls, failures, slow;
};

void window_record(struct slot *, struct stripe *, struct window, uint16_t epoch, bool failed, bool slow,
                   uint64_t now_ms);
struct window_sum window_sum(const struct segment *, uint32_t slot, struct window, uint16_t epoch, uint64_t now_ms);

#endif
