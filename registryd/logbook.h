/* systemd's journal, for the log. */
#ifndef REGISTRYD_LOGBOOK_H
#define REGISTRYD_LOGBOOK_H

/* If stderr is the journal, the log's entries go there with their fields from now on. */
void logbook_open(void);
/* Each has CB_REGISTRY=`registry` (the caller's, and stays) from now on. */
void logbook_registry(const char *registry);

#endif
