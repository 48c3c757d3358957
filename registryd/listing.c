#include "registryd/listing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/clock.h"
#include "core/panel.h"

#define PAGE_MAX     512 /* breakers */
#define PAGE_RESERVE 64  /* bytes for the reply around them */
#define ROW_RESERVE  8   /* bytes for a breaker's tag and length */

struct found {
    char name[NAME_SIZE];
    uint32_t slot;
};

static void row_counts(Cb__Breaker *message, const struct tally *tally)
{
    message->state = tally->state;
    message->successes = tally->successes;
    message->failures = tally->failures;
    message->abandoned = tally->abandoned;
    message->overdue = tally->overdue;
    message->rejected = tally->rejected_open + tally->rejected_probes + tally->rejected_concurrency;
    message->transitions = tally->transitions;
    message->retry_after_ms = tally->retry_after_ms;
}

/* The gate says whether an override is in force; the panel says why. */
static void row_override(struct row *row, const struct override *override, enum breaker_state state, uint64_t now_ms)
{
    if (state < STATE_FORCED_OPEN || override->state != state)
        return;
    snprintf(row->reason, sizeof row->reason, "%.*s", REASON_SIZE - 1, override->reason);
    row->message.override_state = state;
    row->message.override_reason = row->reason;
    row->message.override_left_ms = override->until_ms > now_ms ? override->until_ms - now_ms : 0;
}

static bool row_fill(const struct registry *registry, uint32_t slot, struct row *row)
{
    struct control_copy copy;
    struct tally tally;
    if (!panel_read(&registry->segment, slot, &copy, NULL))
        return false;
    tally_slot(&registry->segment, slot, &tally);
    row->message = (Cb__Breaker)CB__BREAKER__INIT;
    snprintf(row->name, sizeof row->name, "%.*s", NAME_SIZE - 1, copy.name);
    policy_format(&copy.policy, row->policy);
    row->message.name = row->name;
    row->message.policy = row->policy;
    row->message.slot = slot;
    row_counts(&row->message, &tally);
    row_override(row, &copy.override, tally.state, segment_now_ms(&registry->segment));
    return true;
}

bool listing_show(const struct registry *registry, uint32_t slot, struct reply *reply)
{
    reply->rows = calloc(1, sizeof *reply->rows);
    if (reply->rows == NULL) {
        reply_fail(reply, -ENOMEM, "the daemon is out of memory");
        return true;
    }
    reply->message.kind_case = CB__REPLY__KIND_BREAKER;
    reply->message.breaker = &reply->rows->message;
    return row_fill(registry, slot, reply->rows);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct found *)a)->name, ((const struct found *)b)->name);
}

/* Everything behind `after`, sorted; for free(). NULL: no memory. */
static struct found *find_behind(const struct registry *registry, const char *after, size_t *count)
{
    struct found *found = calloc(registry->segment.capacity, sizeof *found);
    *count = 0;
    for (uint32_t slot = 0; found && slot < registry->segment.capacity; slot++) {
        struct control_copy copy;
        if (!panel_read(&registry->segment, slot, &copy, NULL) || strncmp(copy.name, after, NAME_SIZE) <= 0)
            continue;
        memcpy(found[*count].name, copy.name, NAME_SIZE);
        found[(*count)++].slot = slot;
    }
    if (found)
        qsort(found, *count, sizeof *found, by_name);
    return found;
}

static void page_fill(const struct registry *registry, const struct found *found, size_t count, size_t most,
                      struct reply *reply)
{
    Cb__Breakers *page = &reply->body.breakers;
    size_t room = PACKET_SIZE - PAGE_RESERVE, i = 0;
    for (; i < count && page->n_breakers < most; i++) {
        struct row *row = &reply->rows[page->n_breakers];
        if (!row_fill(registry, found[i].slot, row))
            continue;
        size_t size = cb__breaker__get_packed_size(&row->message) + ROW_RESERVE;
        if (size > room)
            break;
        room -= size;
        page->breakers[page->n_breakers++] = &row->message;
    }
    page->more = i < count;
}

void listing_page(const struct registry *registry, const char *after, uint32_t limit, struct reply *reply)
{
    size_t count, most = limit == 0 || limit > PAGE_MAX ? PAGE_MAX : limit;
    struct found *found = find_behind(registry, after, &count);
    reply->rows = calloc(most, sizeof *reply->rows);
    reply->list = calloc(most, sizeof(Cb__Breaker *));
    if (found && reply->rows && reply->list) {
        reply->body.breakers = (Cb__Breakers)CB__BREAKERS__INIT;
        reply->body.breakers.breakers = reply->list;
        reply->message.kind_case = CB__REPLY__KIND_BREAKERS;
        reply->message.breakers = &reply->body.breakers;
        page_fill(registry, found, count, most, reply);
    } else {
        reply_fail(reply, -ENOMEM, "the daemon is out of memory");
    }
    free(found);
}
