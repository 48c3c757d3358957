#!/bin/bash
# The binaries have the trace points of docs/tracing.md, with as many arguments each, and no others.
# Usage: tracepoints.sh SOURCE_DIR BUILD_DIR
set -u
documented=$(sed -n 's/^| `\([a-z]*\)` | [^|]* | \([^|]*\) |$/\1 \2/p' "$1/docs/tracing.md" |
    awk '{ print $1, NF - 1 }' | LC_ALL=C sort)
bad=0

# "NAME ARGUMENTS" of each of a binary's trace points
points() {
    readelf -n "$1" | awk '/Name: /{ name = $2 } /Arguments: /{ if (name) print name, NF - 1; name = "" }' |
        LC_ALL=C sort -u
}

check() {
    diff -u <(echo "$2") <(points "$1") >&2 && return
    echo "$1: not the trace points of docs/tracing.md" >&2
    bad=1
}

check "$2/libcbclient/libcbclient.so" "$documented"
check "$2/registryd/registryd" "$(grep transition <<<"$documented")"
exit $bad
