#!/bin/bash
# run.sh: searches the model in gate.pml completely for each policy; then plants mistakes, each of which must be found,
# by the assertion that is meant to find it.
set -u
model=$(dirname "$(readlink -f "$0")")/gate.pml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
bad=0

# search DEFINES...: the verifier's report in pan.log
search() {
    spin "$@" -a "$model" >pan.log 2>&1 && ${CC:-cc} -w -O2 -DSAFETY -DMEMLIM=4000 -o pan pan.c >>pan.log 2>&1 &&
        ./pan -n -m4000000 >pan.log 2>&1
}

# A search that ends early for any reason proves nothing.
proved() {
    search "$@"
    if grep -q 'errors: 0' pan.log && ! grep -qE 'too small|Search not completed|out of memory' pan.log; then
        echo "holds: $* ($(awk '/states, stored/ { print $1 }' pan.log) states)"
    else
        echo "NOT proved: $*"
        tail -n 20 pan.log
        bad=1
    fi
}

# found SEED ASSERTION DEFINES...
found() {
    local assertion=$2
    search "-DSEED_$1" "${@:3}"
    if grep -q "assertion violated.*$assertion" pan.log; then
        echo "found: $1"
    else
        echo "NOT found: $1"
        tail -n 20 pan.log
        bad=1
    fi
}

proved -DTIMED=0 -DMAX_CALLS=2 -DNEEDED=2
proved -DTIMED=0 -DMAX_CALLS=1 -DNEEDED=2
proved -DTIMED=1 -DMAX_CALLS=1 -DNEEDED=1
found TWO_STORES 'gate_state.*holds' -DMAX_CALLS=1 -DNEEDED=1 # more probes than allowed
found LEASE admitted -DTIMED=0                                # stuck
found RESET stale -DTIMED=0                                   # an outcome in a later epoch
found SETTLE settled                                          # a call that worker and daemon both settle
found LATE holds -DTIMED=0                                    # a dead probe that only its lease ends
exit $bad
