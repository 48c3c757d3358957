#!/bin/bash
# bash completes every subcommand and option that the programs' --help has, and nothing else.
# Usage: completion.sh BUILD_DIR
set -euo pipefail
build=$(cd "${1:?usage: completion.sh BUILD_DIR}" && pwd)
cd "$(dirname "$0")/../.."
PATH=$build/tools:$build/registryd:$PATH
source tools/completion/cbctl.bash
source registryd/completion/registryd.bash
compopt() { :; } # works during a completion only
failed=0

# offers FUNCTION WORD...: what is offered for the last word.
offers() {
    local COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2)) COMP_LINE="${*:2}" COMPREPLY
    local COMP_POINT=${#COMP_LINE}
    "$1"
    printf '%s\n' "${COMPREPLY[@]}" | sort
}

# same WHAT OFFERED WANTED
same() {
    [[ -n $3 && $2 == "$3" ]] && return
    printf 'completion of %s: <: should be offered, >: should not be\n%s\n' "$1" "$(diff <(echo "$3") <(echo "$2"))"
    failed=1
}

options_in() { grep -oE -- '--[a-z][a-z-]*' | sort -u; }

commands=$(cbctl --help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' | sort)
same cbctl "$(offers _cbctl cbctl '')" "$commands"
for command in $commands; do
    wanted=$({ cbctl "$command" --help | head -n 1; echo "--registry --help"; } | options_in)
    same "cbctl $command" "$(offers _cbctl cbctl "$command" -- | grep -v -x -e --)" "$wanted"
done
same registryd "$(offers _registryd registryd --)" "$(registryd --help | options_in)"
exit $failed
