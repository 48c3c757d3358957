/* The keys of a policy: the one table that parsing, formatting, checking and listing share. Private to policy*.c. */
#ifndef CORE_POLICY_FIELD_H
#define CORE_POLICY_FIELD_H

#include <stdbool.h>
#include <string.h>

#include "core/policy.h"

enum kind { KIND_PRESET, KIND_COUNT, KIND_DURATION, KIND_DECIMAL, KIND_WINDOW, KIND_TIMING };

/* Stands in a field whose default follows from other keys, until policy_resolve(). */
#define UNSET UINT32_MAX

/* One key: everything that is known about it. */
struct field {
    const char *key;
    enum kind kind;
    uint32_t min, max, fallback;
    size_t offset;
};
enum { FIELD_PRESET, FIELD_FIRST, FIELDS = 19 }; /* the row of `preset`, the first with a field of the struct, rows */
extern const struct field fields[FIELDS];
extern const char *const timing_names[TIMING_PRECISE + 1];

#define MIN_WINDOW_MS 100 /* time:D */
#define MAX_WINDOW_MS 3600000

static inline uint32_t field_of(const struct field *field, const struct policy *policy)
{
    uint32_t value;
    memcpy(&value, (const char *)policy + field->offset, sizeof value);
    return value;
}
static inline void field_set(const struct field *field, struct policy *policy, uint32_t value)
{
    memcpy((char *)policy + field->offset, &value, sizeof value);
}

/* What would be right for this key, for an error's last part. */
#define RANGE_SIZE 96
void field_range(const struct field *, char out[RANGE_SIZE]);

/* Every key's default, UNSET where it follows from others; then those, from the keys that are set. */
void policy_unresolved(struct policy *);
void policy_resolve(struct policy *);

bool window_valid(uint32_t kind, uint32_t size);
/* Keys that contradict each other: false, or true with the sentence. */
bool policy_conflict(const struct policy *, char error[POLICY_ERROR_SIZE]);

#endif
