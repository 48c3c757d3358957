#!/bin/bash
# The page's tests in Chromium, or those of them that are named, or another script beside this one.
# Usage: run.sh BUILD_DIR [main.mjs NAME...]. npm's packages are kept in BUILD_DIR.
set -u
build=$(cd "${1:?usage: run.sh BUILD_DIR}" && pwd) here=$(cd "$(dirname "$0")" && pwd)
folder=$build/page

for program in node npm chromium setpriv; do
    command -v "$program" >/dev/null || { echo "page: there is no $program here: ./dev deps installs it" >&2; exit 1; }
done
mkdir -p "$folder"
if ! cmp -s "$here/package-lock.json" "$folder/package-lock.json" || [[ ! -d $folder/node_modules ]]; then
    cp "$here/package.json" "$here/package-lock.json" "$folder/"
    npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --silent || {
        rm -f "$folder/package-lock.json"
        echo "page: npm cannot fetch playwright-core, which drives Chromium; is the npm registry reachable?" >&2
        exit 1
    }
fi
CHROMIUM=$(command -v chromium)
export CHROMIUM NODE_MODULES=$folder/node_modules
export REGISTRYD_PATH=$build/registryd/registryd CBCTL_PATH=$build/tools/cbctl WORKER_PATH=$build/tests/page_worker
exec node --test-reporter=spec "$here/${2:-main.mjs}" "${@:3}"
