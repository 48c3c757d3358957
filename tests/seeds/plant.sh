#!/bin/sh
# plant.sh SEED SOURCE OUT: SOURCE with the mistake in it. An edit that changes nothing is an error: the source has moved
# on, and the seed must follow.
set -eu
sed -f "$1" "$2" >"$3"
if cmp -s "$2" "$3"; then
    echo "$1 no longer changes $2: bring it up to date" >&2
    rm -f "$3"
    exit 1
fi
