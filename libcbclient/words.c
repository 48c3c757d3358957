#include "client.h"

/* The public header stands alone, so it has the numbers of core's lists once more: here they are held together. */
#define SAME(public_name, core_name) _Static_assert((int)(public_name) == (int)(core_name), #public_name)
SAME(CB_CLOSED, STATE_CLOSED);
SAME(CB_OPEN, STATE_OPEN);
SAME(CB_HALF_OPEN, STATE_HALF_OPEN);
SAME(CB_FORCED_OPEN, STATE_FORCED_OPEN);
SAME(CB_DISABLED, STATE_DISABLED);
SAME(CB_METRICS_ONLY, STATE_METRICS_ONLY);
SAME(CB_ADMITTED, ANSWER_ADMITTED);
SAME(CB_REJECTED_OPEN, ANSWER_REJECTED_OPEN);
SAME(CB_REJECTED_PROBES, ANSWER_REJECTED_PROBES);
SAME(CB_REJECTED_CONCURRENCY, ANSWER_REJECTED_CONCURRENCY);
SAME(CB_SUCCESS, OUTCOME_SUCCESS);
SAME(CB_FAILURE, OUTCOME_FAILURE);
SAME(CB_IGNORED, OUTCOME_IGNORED);
SAME(CB_ABANDONED, OUTCOME_ABANDONED);
SAME(CB_ENODAEMON, SEGMENT_EABSENT);
SAME(CB_EOWNER, SEGMENT_EOWNER);
SAME(CB_EVERSION, SEGMENT_EVERSION);
SAME(CB_ELAYOUT, SEGMENT_ELAYOUT);
SAME(CB_ENAMESPACE, SEGMENT_ENAMESPACE);
SAME(CB_ERETIRED, SEGMENT_ERETIRED);
SAME(CB_ECORRUPT, SEGMENT_ECORRUPT);
SAME(CB_ENAME, SEGMENT_ENAME);
SAME(CB_ENOTMINE, CALL_NOT_MINE);
SAME(CB_EOVERDUE, CALL_WAS_OVERDUE);
_Static_assert(sizeof((struct cb_health *)0)->name == NAME_SIZE, "names");
_Static_assert(sizeof((struct cb_health *)0)->policy == POLICY_TEXT_SIZE, "policies");
_Static_assert(sizeof((struct cb_health *)0)->override_reason == REASON_SIZE, "reasons");

const char *cb_state_name(enum cb_state state)
{
    return state_name((unsigned)state);
}

const char *cb_answer_name(int answer)
{
    return answer_name((unsigned)answer);
}

const char *cb_version(void)
{
    return CB_VERSION;
}
