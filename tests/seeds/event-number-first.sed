# An event's number is there before the event: a scribe that is killed then leaves a half event that counts.
/^static void store(/,/^}/s/&place->sequence, 0, /\&place->sequence, event->sequence, /
