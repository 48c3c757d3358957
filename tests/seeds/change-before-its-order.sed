# A policy is changed without an order that says who is about to: killed then, its event is never written.
/^int action_set_policy(/,/^}/s/scribe_order(scribe, &event, 0);//
