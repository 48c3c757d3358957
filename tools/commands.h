/* cbctl's commands. Each takes its checked options and returns the exit code. */
#ifndef TOOLS_COMMANDS_H
#define TOOLS_COMMANDS_H

#include "options.h"

int command_list(const struct options *);
int command_show(const struct options *);
int command_top(const struct options *);
int command_stats(const struct options *);
int command_history(const struct options *);
int command_watch(const struct options *);
int command_workers(const struct options *);
int command_calls(const struct options *);
int command_doctor(const struct options *);
int command_ping(const struct options *);
int command_create(const struct options *);
int command_set(const struct options *);
int command_trip(const struct options *);
int command_reset(const struct options *);
int command_force_open(const struct options *);
int command_disable(const struct options *);
int command_metrics_only(const struct options *);
int command_auto(const struct options *);
int command_remove(const struct options *);
int command_run(const struct options *);
int command_simulate(const struct options *);

#endif
