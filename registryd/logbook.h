/* systemd's journal, for the log. */
#ifndef REGISTRYD_LOGBOOK_H
#define REGISTRYD_LOGBOOK_H

/* If stderr is the journal, the log's entries go there with their fields from now on, each with CB_REGISTRY=`registry`
 * (the caller's, and stays). */
void logbook_open(const char *registry);

#endif
