#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

void fill_name(uint32_t n, char name[FILL_NAME_SIZE])
{
    snprintf(name, FILL_NAME_SIZE, "filled/%u", n);
}

int fill_to(struct bench *bench, uint32_t count)
{
    char name[FILL_NAME_SIZE];
    cb_breaker *breaker;
    int error = 0;
    while (bench->filled < count && error == 0 && !interrupted) {
        fill_name(bench->filled, name);
        error = cb_get_or_create(bench->registry, name, NULL, &breaker);
        bench->filled += error == 0;
    }
    return error;
}

static int count_one(const struct cb_health *health, void *count)
{
    (void)health;
    ++*(uint32_t *)count;
    return 0;
}

double measure_list(struct bench *bench, unsigned breakers)
{
    uint32_t count = 0;
    if (fill_to(bench, breakers - BREAKERS) != 0)
        return -1;
    uint64_t began = now_ns();
    cb_list(bench->registry, count_one, &count);
    double took = (double)(now_ns() - began);
    return count == breakers ? took : -1;
}

typedef char fill_names[CAPACITY][FILL_NAME_SIZE];

/* All names, in an order that neither a cache nor a branch predictor can guess. */
static fill_names *names_shuffled(uint32_t count)
{
    fill_names *names = malloc(sizeof *names);
    uint32_t *order = malloc(count * sizeof *order);
    for (uint32_t i = 0; names && order && i < count; i++) {
        uint32_t j = (uint32_t)((uint64_t)rand() * (i + 1) / ((uint64_t)RAND_MAX + 1));
        order[i] = order[j];
        order[j] = i;
    }
    for (uint32_t i = 0; names && order && i < count; i++)
        fill_name(order[i], (*names)[i]);
    free(order);
    return names;
}

double measure_get(struct bench *bench, unsigned breakers)
{
    static fill_names *names;
    cb_breaker *breaker;
    uint32_t count = breakers - BREAKERS, found = 0;
    if (fill_to(bench, count) != 0 || (!names && !(names = names_shuffled(count))))
        return -1;
    uint64_t began = now_ns();
    for (uint32_t i = 0; i < count; i++)
        found += cb_get(bench->registry, (*names)[i], &breaker) == 0;
    double took = (double)(now_ns() - began) / count;
    return found == count ? took : -1;
}
