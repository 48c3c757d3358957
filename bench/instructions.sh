#!/bin/bash
# instructions.sh BUILD-FOLDER: what a call takes, counted by callgrind: the same on every run and every machine.
# Valgrind has no rseq, so the CPU's number comes from sched_getcpu() there: a few instructions more than without it.
set -euo pipefail
count=10000
kinds=(closed window-time window-count timed call-timeout limited failure rejected)

# Events: Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw, of counted() only.
collected() {
    valgrind --tool=callgrind --cache-sim=yes --toggle-collect=counted --callgrind-out-file=/dev/null \
        "$1/bench/callmany" "$2" "$count" 2>&1 | awk '/Collected :/ { $1 = $2 = $3 = ""; print }'
}

printf '%-14s %12s %8s %8s %12s\n' "a call" instructions reads writes "cache misses"
for kind in "${kinds[@]}"; do
    collected "$1" "$kind" | awk -v kind="$kind" -v n="$count" '
        { printf "%-14s %12.1f %8.1f %8.1f %12.3f\n", kind, $1 / n, $2 / n, $3 / n, ($4 + $5 + $6) / n }'
done
