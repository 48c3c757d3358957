/* What a registry weighs: the layout's formula, for machines other than this one. */
#include "bench.h"
#include "core/segment.h"

static double size_of(uint32_t capacity, unsigned cpus)
{
    struct geometry geometry;
    geometry_default(&geometry, capacity);
    geometry.stripes = cpus;
    return (double)geometry_size(&geometry);
}

double measure_memory(struct bench *bench, unsigned cpus)
{
    (void)bench;
    return (size_of(2048, cpus) - size_of(1024, cpus)) / 1024;
}

double measure_memory_all(struct bench *bench, unsigned cpus)
{
    (void)bench;
    return size_of(1024, cpus);
}
