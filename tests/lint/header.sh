#!/bin/bash
# The public header alone: C11 and C++17, gcc and clang, pedantic, used from C++.
# Usage: header.sh SOURCE_DIR
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/use.c" <<'C'
#include <cbclient.h>
int use(cb_breaker *breaker);
int use(cb_breaker *breaker)
{
    CB_SCOPED cb_permit permit = {{0}};
    struct cb_snapshot counts;
    int answer = cb_acquire(breaker, &permit);
    return answer == CB_ADMITTED ? cb_success(&permit) : cb_snapshot_of(breaker, &counts, sizeof counts);
}
C
cp "$folder/use.c" "$folder/use.cc"
cp "$1/libcbclient/cbclient.h" "$folder/"
flags=(-I"$folder" -fsyntax-only -pedantic -Wall -Wextra -Wshadow -Wconversion -Werror)
for compiler in gcc clang; do
    "$compiler" -std=c11 "${flags[@]}" "$folder/use.c"
done
for compiler in g++ clang++; do
    "$compiler" -std=c++17 "${flags[@]}" "$folder/use.cc"
done
