#!/bin/bash
# Who may include what (docs/architecture.md): nothing points against this table.
# Usage: includes.sh SOURCE_DIR
set -u
cd "$1" || exit 1
bad=0

# A source's own folder needs no prefix. `allowed` is matched against what stands between the quotes.
check() {
    local folder=$1 allowed=$2 file line included
    while IFS=: read -r file line included; do
        included=${included#*\"} included=${included%%\"*}
        if [[ ! $included =~ ^($allowed)$ && ! ( $included != */* && -e $(dirname "$file")/$included ) ]]; then
            echo "$file:$line: $folder/ may not include \"$included\""
            bad=1
        fi
    done < <(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$folder" --include='*.[ch]')
}

check core 'core/.*\.h'
check proto 'proto/.*\.h|(proto/)?registry\.pb-c\.h'
check libcbclient '(core|proto)/.*\.h|(libcbclient/)?[a-z_]+\.h'
check registryd '(core|proto|registryd)/.*\.h'
for folder in tools examples; do
    [[ -d $folder ]] && check "$folder" "(libcbclient/)?cbclient\\.h|$folder/.*\\.h"
done

# Core knows libc only; the public header knows nothing else either.
libraries='uv\.h|ini\.h|libsmartcols|systemd/|curl/|microhttpd|jansson|protobuf-c|libmount'
if grep -nE "#[[:space:]]*include[[:space:]]*<($libraries)" -r core libcbclient/cbclient.h; then
    echo "core/ and cbclient.h know libc only"
    bad=1
fi
if grep -nE '#[[:space:]]*include[[:space:]]*"' libcbclient/cbclient.h; then
    echo "cbclient.h stands alone"
    bad=1
fi
exit $bad
