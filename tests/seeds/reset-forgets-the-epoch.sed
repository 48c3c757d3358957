# A reset closes the breaker without a new epoch: what was admitted before still counts afterwards.
/^static struct gate_step operate(/,/^}/{
/case GATE_RESET:/{
n
s/closed_after(word)/gate_closed(gate_epoch(word))/
}
}
