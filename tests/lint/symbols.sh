#!/bin/bash
# Both libraries show cb_* and nothing else: exactly what libcbclient/cbclient.symbols lists.
# Usage: symbols.sh SOURCE_DIR BUILD_DIR
set -u
shared=$2/libcbclient/libcbclient.so static=$2/libcbclient/libcbclient.a
stored=$1/libcbclient/cbclient.symbols
bad=0

compare() {
    diff -u "$stored" - >&2 && return
    echo "$1: not the symbols of $stored (removing one breaks the ABI: see libcbclient/CMakeLists.txt)" >&2
    return 1
}

nm -D --defined-only "$shared" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | LC_ALL=C sort |
    compare "$shared" || bad=1
nm -g --defined-only "$static" | awk 'NF == 3 { print $3 }' | LC_ALL=C sort | compare "$static" || bad=1
declared=$(grep -oE '\bcb_[a-z_]+\(' "$1/libcbclient/cbclient.h" | tr -d '(' | LC_ALL=C sort -u)
while read -r symbol; do
    grep -qx "$symbol" <<<"$declared" || { echo "$symbol is not declared in cbclient.h" >&2; bad=1; }
done <"$stored"
readelf -dW "$shared" | grep -q 'NODELETE' || { echo "$shared: not marked nodelete" >&2; bad=1; }
exit $bad
