/* A registry with hardly any room, quickly made. */
#ifndef TESTS_SMALL_GEOMETRY_H
#define TESTS_SMALL_GEOMETRY_H

#include "core/segment.h"

static const struct geometry small_geometry = {.capacity = 4,
                                               .stripes = 1,
                                               .worker_count = 4,
                                               .chunk_count = 8,
                                               .place_count = 16,
                                               .journal_length = 16,
                                               .event_length = 16};

#endif
