/* What a request is answered with, and everything the message points to. */
#ifndef REGISTRYD_REPLY_H
#define REGISTRYD_REPLY_H

#include <stdbool.h>

#include "core/layout.h"
#include "proto/packet.h"

/* Codes of the public header that core has no use for; the others are in core/segment.h. */
enum reply_code {
    REPLY_EVERSION = -10004,
    REPLY_ENAME = -10009,
    REPLY_EPOLICY = -10010,
    REPLY_EFULL = -10011,
    REPLY_ENOTFOUND = -10012,
    REPLY_EDENIED = -10017,
    REPLY_EPROTOCOL = -10018,
    REPLY_EREASON = -10019,
};

#define REPLY_ERROR_SIZE 512

/* A breaker's message and its texts. */
struct row {
    Cb__Breaker message;
    char name[NAME_SIZE], policy[POLICY_TEXT_SIZE], reason[REASON_SIZE];
};

/* What a page of sightings points to; it fits a packet whatever the numbers are. */
#define SIGHTINGS_PAGE 3000
struct sightings_page {
    uint32_t entries[SIGHTINGS_PAGE], sequences[SIGHTINGS_PAGE];
    uint64_t since_ms[SIGHTINGS_PAGE];
};

struct reply {
    Cb__Reply message;
    bool hang_up;   /* the connection ends with it */
    bool subscribe; /* the connection is woken from now on */
    char error[REPLY_ERROR_SIZE];
    char policy[POLICY_TEXT_SIZE]; /* Created's */
    union {
        Cb__Attached attached;
        Cb__Created created;
        Cb__Breakers breakers;
        Cb__Sightings sightings;
        Cb__Pong pong;
    } body;
    struct row *rows; /* for reply_finish() */
    Cb__Breaker **list;
    struct sightings_page *sightings;
};

void reply_init(struct reply *);
void reply_finish(struct reply *);

/* The answer is an error. */
void reply_fail(struct reply *, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
