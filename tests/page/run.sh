#!/bin/bash
# The page's tests, or another script of theirs, in Chromium. Usage: run.sh FOLDER [SCRIPT ARGUMENTS...], with
# REGISTRYD_PATH, CBCTL_PATH and WORKER_PATH in the environment. npm's packages are kept in FOLDER.
set -u
folder=$1 here=$(cd "$(dirname "$0")" && pwd)
script=${2:-main.mjs}

for program in node npm chromium setpriv; do
    command -v "$program" >/dev/null || { echo "page: there is no $program here: ./dev deps installs it" >&2; exit 1; }
done
mkdir -p "$folder"
if ! cmp -s "$here/package-lock.json" "$folder/package-lock.json" || [[ ! -d $folder/node_modules/playwright-core ]]; then
    cp "$here/package.json" "$here/package-lock.json" "$folder/"
    npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --silent || {
        rm -f "$folder/package-lock.json"
        echo "page: npm cannot fetch playwright-core, which the tests drive Chromium with; is the npm registry reachable?" >&2
        exit 1
    }
fi
CHROMIUM=$(command -v chromium)
export CHROMIUM NODE_MODULES=$folder/node_modules
exec node --test-reporter=spec "$here/$script" "${@:3}"
