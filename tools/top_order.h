/* Which breakers `cbctl top` shows, and in what order. */
#ifndef TOOLS_TOP_ORDER_H
#define TOOLS_TOP_ORDER_H

#include <stdbool.h>

#include "top_model.h"

enum top_order {
    ORDER_TROUBLE, /* open and forced open, half-open, other overrides, closed; then failures, rejections */
    ORDER_NAME,
    ORDER_CALLS,
    ORDER_FAILED,
    ORDER_SLOW,
    ORDER_REJECTED,
    ORDER_IN_FLIGHT,
    ORDER_CHANGED, /* the latest change first */
    ORDER_COUNT
};

/* "trouble", "name", "calls" ... */
const char *order_name(enum top_order);

/* Does a name have `filter` in it (in any case), or match it as a shell pattern if it has one of *?[ in it? "" is in
 * every name. */
bool filter_match(const char *filter, const char *name);

/* Put the rows that match into `out` (room for all of the model's), sorted; how many. Equal ones go by name. */
size_t order_rows(const struct top_model *, const char *filter, enum top_order, struct top_row **out);

#endif
