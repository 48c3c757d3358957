/* `cbctl top` on the screen. */
#ifndef TOOLS_TOP_DRAW_H
#define TOOLS_TOP_DRAW_H

#include "top.h"

/* Draw it as it is; sets top->height, top->first, top->lines, which the keys go by. `now_ms`: CLOCK_MONOTONIC. */
void top_draw(struct top *, uint64_t now_ms);

#endif
