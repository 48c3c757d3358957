#!/bin/bash
# compare.sh BUILD-FOLDER: one table of what a protected call costs, ours and through others. NODE_PATH says where opossum
# is installed.
set -euo pipefail
here=$(dirname "$0")

# Exit code 1: a limit was missed. That is told elsewhere, and does not make the figures wrong.
ours=$("$1/bench/cbbench" --json call) || (($? == 1))
# Server and client on one processor, the first that we may use: on two, each would wait for the other to wake up.
processor=$(taskset --pid --cpu-list $$ | sed 's/.*: *//; s/[-,].*//')
redis=$(taskset --cpu-list "$processor" "$1/bench/redisbench")
opossum=$(node "$here/opossum/opossumbench.js")

of_ours() { jq -r --arg what "$1" '.[] | select(.what | startswith($what)) | .median' <<<"$ours"; }
of() { awk -v name="$2" '$1 == name { print $2 }' <<<"$1"; }
amount() {
    awk -v ns="$1" 'BEGIN {
        if (ns == "") print "-"
        else if (ns < 1000) printf "%.1f ns", ns
        else printf "%.1f us", ns / 1000
    }'
}
row() { printf '%-42s %10s %10s   %s\n' "$1" "$(amount "$2")" "$(amount "$3")" "$4"; }

printf '%-42s %10s %10s   %s\n' "a call through" closed open "state shared by"
row libcbclient "$(of_ours 'closed: acquire + success')" "$(of_ours 'open: rejected')" "all processes of a host"
row "a robust mutex in shared memory" "$(of_ours 'baseline: the pair')" "" "all processes of a host"
row "opossum, Node $(node --version)" "$(of "$opossum" closed)" "$(of "$opossum" open)" "one process"
row "  the same await without a breaker" "$(of "$opossum" await)" "" "-"
row "Redis on a Unix socket, hiredis" "$(of "$redis" closed)" "$(of "$redis" open)" "all clients of the server"
