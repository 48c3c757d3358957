/* A panel's header, as a joiner checks it: whatever passes describes areas that lie inside its objects. The input is
 * laid over a good header by exclusive or, so that few bytes reach far; it begins with how much of the header there is
 * and what the object's size differs by. */
#include <string.h>

#include "core/geometry.h"
#include "core/header.h"
#include "fuzz.h"

struct frame {
    uint16_t missing; /* bytes at the header's end */
    int16_t longer;   /* bytes of the object */
};

static const struct panel_header *good_header(void)
{
    static struct panel_header header;
    struct geometry geometry;
    geometry_default(&geometry, 16);
    if (header.magic == 0)
        MUST_HOLD(header_init(&header, &geometry, "/run/registryd/x.sock") == 0);
    return &header;
}

/* `count` things of `each` bytes at `offset` end within `size`. */
static void check_area(uint64_t offset, uint64_t count, uint64_t each, uint64_t size)
{
    MUST_HOLD(offset <= size && count <= (size - offset) / each && offset % 8 == 0);
}

static void check_accepted(const struct panel_header *h)
{
    check_area(h->index_offset, h->index_length, sizeof(au32), h->panel_size);
    check_area(h->control_offset, h->capacity, sizeof(struct control), h->panel_size);
    check_area(h->worker_offset, h->worker_count, sizeof(struct worker), h->live_size);
    check_area(h->owner_offset, h->chunk_count, sizeof(au32), h->live_size);
    check_area(h->chunk_offset, h->chunk_count, sizeof(struct chunk), h->live_size);
    check_area(h->place_offset, h->place_count, sizeof(au64), h->live_size);
    check_area(h->event_offset, h->event_length, sizeof(struct event), h->panel_size);
    check_area(h->journal_offset, h->journal_length, sizeof(struct record), h->live_size);
    check_area(h->slot_offset, h->capacity, h->slot_stride, h->live_size);
    MUST_HOLD(h->slot_stride >= sizeof(struct slot) + h->stripes * sizeof(struct stripe));
    MUST_HOLD(memchr(h->socket, '\0', sizeof h->socket));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame frame;
    struct panel_header header = *good_header();
    char error[SEGMENT_ERROR_SIZE] = "";
    if (size < sizeof frame)
        return 0;
    memcpy(&frame, data, sizeof frame);
    uint8_t *bytes = (uint8_t *)&header;
    for (size_t i = 0; i < sizeof header && i < size - sizeof frame; i++)
        bytes[i] ^= data[sizeof frame + i];
    size_t length = sizeof header - frame.missing % (sizeof header + 1);
    memset(bytes + length, 0, sizeof header - length);
    int result = header_check(&header, length, header.panel_size + (uint64_t)frame.longer, error);
    if (result == 0)
        check_accepted(&header);
    else
        MUST_HOLD(*error && memchr(error, '\0', sizeof error));
    return 0;
}
