#include "core/scribe.h"

#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "core/journal.h"
#include "core/panel.h"
#include "core/process.h"
#include "core/transition.h"

#define SLOT_UNKNOWN UINT32_MAX

static struct order *order_of(const struct scribe *scribe)
{
    return &scribe->segment->panel_rw->order;
}

static uint64_t order_number(const struct scribe *scribe)
{
    return atomic_load_explicit(&order_of(scribe)->number, memory_order_acquire);
}

static uint64_t gate_at(const struct scribe *scribe, uint32_t slot)
{
    return atomic_load_explicit(&segment_slot(scribe->segment, slot)->gate, memory_order_acquire);
}

/* ---- names of processes ---- */

void scribe_meet(struct scribe *scribe, uint32_t pid)
{
    scribe->met[pid % SCRIBE_COMMANDS].pid = pid;
    process_start(pid, scribe->met[pid % SCRIBE_COMMANDS].command);
}

void scribe_forget(struct scribe *scribe, uint32_t pid)
{
    if (scribe->met[pid % SCRIBE_COMMANDS].pid == pid)
        scribe->met[pid % SCRIBE_COMMANDS].pid = 0;
}

static void name_process(const struct scribe *scribe, struct event *event)
{
    uint32_t place = event->pid % SCRIBE_COMMANDS;
    if (event->pid && scribe->met[place].pid == event->pid)
        memcpy(event->command, scribe->met[place].command, sizeof event->command);
    else if (event->pid)
        process_start(event->pid, event->command);
}

_Static_assert(COMMAND_SIZE == EVENT_COMMAND_SIZE, "a command's name fits");

/* ---- writing down ---- */

static void say(struct scribe *scribe, struct event *event)
{
    if (!*event->command)
        name_process(scribe, event);
    if (events_append(scribe->segment, event) != 0)
        return; /* cannot be: the mutex is robust */
    gather_note(&scribe->gather, event);
    if (scribe->listener)
        scribe->listener(event, scribe->arg);
}

/* An order's own transition comes in from the journal like everybody's, where nobody believes it to be an operator's: the
 * order says what it was. One that somebody else made in that epoch stays what it is. */
static void say_gathered(struct scribe *scribe, struct event *event)
{
    const struct order *order = order_of(scribe);
    bool same = event->filled || (event->cause == order->event.cause && event->pid == order->event.pid);
    bool ordered = same && order_number(scribe) != 0 && order->gate != 0 && order->event.slot == event->slot &&
                   order->event.epoch == event->epoch;
    if (ordered)
        *event = order->event;
    say(scribe, event);
    if (ordered)
        scribe_cancel(scribe);
}

void scribe_turn(struct scribe *scribe)
{
    struct event event;
    uint64_t now_ms = segment_now_ms(scribe->segment);
    for (uint32_t left = scribe->segment->journal_length; left > 0 && gather_next(&scribe->gather, now_ms, &event);
         left--)
        say_gathered(scribe, &event);
}

void scribe_follow(struct scribe *scribe, uint32_t slot)
{
    struct event event;
    if (gather_rewind(&scribe->gather, slot, segment_now_ms(scribe->segment), &event))
        say(scribe, &event);
}

/* ---- orders ---- */

struct event scribe_prepare(const struct scribe *scribe, uint32_t slot, enum cause cause, struct actor actor,
                            const char *reason)
{
    struct event event = {.cause = (uint8_t)cause, .pid = actor.pid, .uid = actor.uid, .slot = slot};
    struct control_copy block;
    event.time_ms = segment_now_ms(scribe->segment);
    event.wall_ms = gather_wall_ms(scribe->segment, event.time_ms);
    strncpy(event.reason, reason, sizeof event.reason - 1);
    if (slot != SLOT_UNKNOWN && panel_read(scribe->segment, slot, &block, NULL)) {
        memcpy(event.name, block.name, sizeof event.name);
        event.incarnation = (uint16_t)block.incarnation;
    }
    name_process(scribe, &event);
    return event;
}

void scribe_order(struct scribe *scribe, struct event *event, uint64_t gate)
{
    struct order *order = order_of(scribe);
    atomic_store_explicit(&order->number, 0, memory_order_relaxed); /* no half order under the old number */
    atomic_signal_fence(memory_order_seq_cst);                      /* only our own death tears it */
    event->order = ++order->count;
    order->event = *event;
    order->gate = gate;
    order->commit = event->slot != SLOT_UNKNOWN ? panel_commit(scribe->segment, event->slot) : 0;
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&order->number, event->order, memory_order_release);
}

void scribe_cancel(struct scribe *scribe)
{
    atomic_store_explicit(&order_of(scribe)->number, 0, memory_order_release);
}

/* Where the breaker stands, for an event that does not move its gate. A creation is before all that has happened since. */
static void look(const struct scribe *scribe, struct event *event)
{
    uint64_t gate = gate_at(scribe, event->slot);
    event->incarnation = commit_incarnation(panel_commit(scribe->segment, event->slot));
    event->epoch = gate_epoch(gate);
    event->from = event->to = (uint8_t)gate_state(gate);
    if (event->cause == CAUSE_CREATED) {
        event->epoch = transition_origin(segment_slot(scribe->segment, event->slot));
        event->from = event->to = STATE_CLOSED;
    }
}

static void say_block(struct scribe *scribe, struct event *event)
{
    look(scribe, event);
    say(scribe, event);
}

/* What was before it comes first, as far as it is noted; nobody waits for the rest. */
static void say_gate(struct scribe *scribe, struct event *event)
{
    struct event missing;
    for (;;) {
        scribe_turn(scribe); /* finds the order's own note as well */
        if (order_number(scribe) == 0)
            return;
        if (!gather_reach(&scribe->gather, event->slot, event->epoch, event->time_ms, &missing))
            break;
        say(scribe, &missing);
    }
    if (!gather_knows(&scribe->gather, event))
        say(scribe, event);
}

void scribe_done(struct scribe *scribe, struct event *event)
{
    if (order_of(scribe)->gate != 0)
        say_gate(scribe, event);
    else
        say_block(scribe, event);
    scribe_cancel(scribe);
}

/* ---- taking over ---- */

static bool is_said(const struct scribe *scribe, uint64_t number)
{
    struct event event;
    for (uint64_t i = events_last(scribe->segment); i >= events_first(scribe->segment); i--)
        if (events_read(scribe->segment, i, &event) && event.order == number)
            return true;
    return false;
}

/* Was the word swapped in? Once the gate has gone on nobody can tell, unless somebody else's note says otherwise; that
 * is for say_gathered(). */
static bool is_gate_done(const struct scribe *scribe, const struct order *order)
{
    uint64_t gate = gate_at(scribe, order->event.slot);
    int16_t beyond = (int16_t)(gate_epoch(gate) - order->event.epoch);
    return beyond > 0 || (beyond == 0 && gate == order->gate);
}

static bool is_done(struct scribe *scribe, const struct order *order, struct event *event)
{
    if (order->gate != 0)
        return is_gate_done(scribe, order);
    if (order->event.cause != CAUSE_CREATED)
        return panel_commit(scribe->segment, event->slot) != order->commit;
    int64_t slot = panel_find(scribe->segment, event->name);
    event->slot = slot >= 0 ? (uint32_t)slot : SLOT_UNKNOWN;
    return slot >= 0 && noted_incarnation(scribe->gather.noted[slot]) !=
                            commit_incarnation(panel_commit(scribe->segment, (uint32_t)slot));
}

static void order_recover(struct scribe *scribe)
{
    const struct order *order = order_of(scribe);
    uint64_t number = order_number(scribe);
    struct event event = order->event;
    if (number == 0)
        return;
    bool done = is_done(scribe, order, &event);
    if (done && order->gate != 0 && event.cause != CAUSE_OVERRIDE && event.cause != CAUSE_DAMAGED)
        panel_set_override(scribe->segment, event.slot, &(struct override){.state = STATE_CLOSED});
    if (done && !is_said(scribe, number))
        scribe_done(scribe, &event);
    else
        scribe_cancel(scribe);
}

/* Breakers of which no event says that they were created: theirs was killed before the order, or made otherwise. */
static void creations_recover(struct scribe *scribe)
{
    struct policy_view view;
    for (uint32_t slot = 0; slot < scribe->segment->capacity; slot++) {
        uint64_t commit = panel_commit(scribe->segment, slot), noted = scribe->gather.noted[slot];
        bool known = (noted & NOTED_VALID) && noted_incarnation(noted) == commit_incarnation(commit);
        if (!(commit & TRAIT_USED) || known || !panel_policy(scribe->segment, slot, &view))
            continue;
        char text[POLICY_TEXT_SIZE];
        policy_format(&view.policy, text);
        struct event event = scribe_prepare(scribe, slot, CAUSE_CREATED, (struct actor){.uid = view.creator_uid}, text);
        say_block(scribe, &event);
    }
}

static void gates_recover(struct scribe *scribe)
{
    for (uint32_t slot = 0; slot < scribe->segment->capacity; slot++)
        scribe_follow(scribe, slot);
}

int scribe_open(struct scribe *scribe, struct segment *segment, scribe_listener *listener, void *arg)
{
    memset(scribe, 0, sizeof *scribe);
    scribe->segment = segment;
    scribe->listener = listener;
    scribe->arg = arg;
    int result = events_repair(segment);
    if (result == 0 && !gather_init(&scribe->gather, segment, false, GATHER_PATIENCE_MS))
        result = -ENOMEM;
    if (result != 0)
        return result;
    order_recover(scribe);
    creations_recover(scribe);
    gates_recover(scribe);
    scribe_turn(scribe);
    return 0;
}

void scribe_close(struct scribe *scribe)
{
    if (scribe->segment)
        gather_finish(&scribe->gather);
    scribe->segment = NULL;
}
