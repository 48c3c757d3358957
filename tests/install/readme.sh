#!/bin/bash
# The README's first C example compiles without a warning and runs, also where there is no daemon.
# Usage: readme.sh SOURCE_DIR BUILD_DIR
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
awk '/^```c$/ { inside = 1; next } /^```/ { if (inside) exit } inside' "$1/README.md" >"$folder/example.c"
grep -q 'main(' "$folder/example.c" || { echo "README.md: its first \`\`\`c block is no program"; exit 1; }
cc -std=c11 -Wall -Wextra -Werror -I"$1/libcbclient" "$folder/example.c" -o "$folder/example" \
    -L"$2/libcbclient" -lcbclient
CB_REGISTRY=nobody-runs-this LD_LIBRARY_PATH="$2/libcbclient" timeout 20 "$folder/example"
