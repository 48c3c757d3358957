/* The daemon's requests, one connection of them: any bytes as packets, against a registry in private memory. The input:
 * a byte for the peer's rank, then packets, each behind its length in two bytes (little-endian, at most what is
 * left). */
#include <string.h>

#include "core/panel.h"
#include "fuzz.h"
#include "registryd/request.h"
#include "tests/small_geometry.h"

/* What the daemon sends back fits a packet and holds no text without an end. */
static void check_reply(const struct reply *reply)
{
    static uint8_t packet[PACKET_SIZE];
    MUST_HOLD(cb__reply__get_packed_size(&reply->message) <= sizeof packet);
    size_t length = cb__reply__pack(&reply->message, packet);
    Cb__Reply *read = cb__reply__unpack(NULL, length, packet);
    MUST_HOLD(read && (read->code == 0) == (*read->error == '\0'));
    cb__reply__free_unpacked(read, NULL);
}

static bool answer(struct service *service, const struct peer *peer, bool first, const uint8_t *packet, size_t length)
{
    struct reply reply;
    reply_init(&reply);
    request_answer(service, peer, first, packet, length, &reply);
    check_reply(&reply);
    bool goes_on = !reply.hang_up;
    reply_finish(&reply);
    return goes_on;
}

static void converse(struct service *service, const struct peer *peer, const uint8_t *data, size_t size)
{
    bool first = true, goes_on = true;
    while (size >= 2 && goes_on) {
        size_t length = data[0] | (size_t)data[1] << 8;
        data += 2, size -= 2;
        if (length > size)
            length = size;
        goes_on = answer(service, peer, first, data, length);
        data += length, size -= length;
        first = false;
    }
}

/* Whatever was asked for, every breaker that is there has a valid name and policy. */
static void check_panel(const struct segment *segment)
{
    struct control_copy copy;
    for (uint32_t slot = 0; slot < segment->capacity; slot++) {
        if (!panel_read(segment, slot, &copy, NULL))
            continue;
        MUST_HOLD(breaker_name_valid(copy.name, strnlen(copy.name, sizeof copy.name)));
        MUST_HOLD(policy_valid(&copy.policy));
        MUST_HOLD(panel_find(segment, copy.name) == slot);
        MUST_HOLD(memchr(copy.override.reason, '\0', sizeof copy.override.reason));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct registry registry = {.name = "fuzzed"};
    struct watch *watches[4] = {0};
    struct reaper reaper = {.registry = &registry, .watches = watches};
    struct access access = {(gid_t)-1, (gid_t)-1};
    struct sighting first[8 * CHUNK_CALLS] = {0};
    struct sightings sightings = {.segment = &registry.segment, .first = first};
    struct service service = {.registry = &registry, .reaper = &reaper, .access = &access, .sightings = &sightings};
    if (size == 0)
        return 0;
    MUST_HOLD(segment_private(&small_geometry, &registry.segment) == 0);
    MUST_HOLD(chronicle_open(&registry.chronicle, &registry.segment));
    MUST_HOLD(inspector_start(&reaper.inspector, &registry));
    struct peer peer = {.pid = 1, .uid = 1000, .gid = 1000, .rank = data[0] % (RANK_ADMINISTRATOR + 1)};
    converse(&service, &peer, data + 1, size - 1);
    check_panel(&registry.segment);
    inspector_stop(&reaper.inspector);
    registry_close(&registry);
    return 0;
}
