#!/bin/sh
# The documents name what the program has: every policy key, subcommand and function; and their links lead somewhere.
# Usage: docs.sh BUILD_DIR
set -eu
build=${1:?usage: docs.sh BUILD_DIR}
build=$(cd "$build" && pwd)
cd "$(dirname "$0")/../.."
failed=$(mktemp)
trap 'rm -f "$failed"' EXIT

complain() {
    echo "docs: $*" >&2
    echo x >>"$failed"
}

# A list that turns out empty means that this script no longer understands its source, not that all is well.
expect_some() {
    [ -n "$2" ] || complain "found no $1: the check does not fit the source any more"
}

check_keys() {
    keys=$(sed -n 's/^ *{"\([a-z_]*\)", KIND_.*/\1/p' core/policy*.c | sort -u)
    expect_some "policy keys in core/policy*.c" "$keys"
    for key in $keys; do
        grep -q "^| \`$key\` |" README.md || complain "policy key $key is not in the README's table"
        grep -q "^\.It .*Cm $key\$\|^\.It .*Cm $key " docs/man/registryd.conf.5 ||
            complain "policy key $key is not in registryd.conf.5"
    done
}

check_subcommands() {
    cbctl=$(find "$build" -name cbctl -type f -perm -u+x | head -n 1)
    [ -n "$cbctl" ] || { complain "no cbctl in $build"; return; }
    names=$("$cbctl" --help 2>&1 | sed -n 's/^  \{1,4\}\([a-z][a-z-]*\)\( .*\)\{0,1\}$/\1/p' | sort -u)
    expect_some "subcommands in the output of cbctl --help" "$names"
    plain=$(sed 's/\\-/-/g' docs/man/cbctl.1)
    for name in $names; do
        echo "$plain" | grep -Eq "^\.[A-Z].*(^|[^a-z-])$name([^a-z-]|\$)" || complain "cbctl $name is not in cbctl.1"
    done
}

check_functions() {
    names=$(sed -n 's/^CB_API .*[ *]\(cb_[a-z0-9_]*\)(.*/\1/p' libcbclient/cbclient.h | sort -u)
    expect_some "functions in cbclient.h" "$names"
    for name in $names; do
        grep -Eq "^\.Fn $name( |\$)" docs/man/cbclient.3 || complain "$name() is not in cbclient.3"
    done
}

check_links() {
    find . -name '*.md' -not -path './.git/*' -not -path './build*' | while read -r file; do
        # shellcheck disable=SC2016 # these are a code block's backquotes
        sed '/^```/,/^```/d' "$file" | grep -o '](\([^)]*\))' | sed 's/^](//; s/)$//; s/#.*//' | while read -r link; do
            case $link in
            '' | *://* | mailto:*) ;;
            *) [ -e "$(dirname "$file")/$link" ] || complain "$file: $link does not exist" ;;
            esac
        done
    done
}

check_manuals() {
    command -v mandoc >/dev/null || return 0
    for page in docs/man/*.[1-8]; do
        found=$(mandoc -Tlint -W warning "$page") || complain "$found"
    done
}

check_keys
check_subcommands
check_functions
check_links
check_manuals
[ ! -s "$failed" ]
