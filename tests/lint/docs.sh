#!/bin/sh
# The documents name what the programs have: every policy key, setting, option, subcommand, cause, function and error. The
# tests that they name are there, and their links lead somewhere.
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

check_daemon() {
    settings=$(sed -n 's/^ *{"\([a-z_]*\)", set_.*/\1/p' registryd/config.c)
    expect_some "settings in registryd/config.c" "$settings"
    for key in $settings; do
        grep -q "^\.It .*Cm $key\$" docs/man/registryd.conf.5 || complain "setting $key is not in registryd.conf.5"
    done
    options=$(sed -n 's/^ *{"\([a-z-]*\)", [a-z]*_argument.*/\1/p' registryd/options.c)
    expect_some "options in registryd/options.c" "$options"
    for option in $options; do
        grep -q "^\.It .*Fl -$option\b" docs/man/registryd.8 || complain "registryd --$option is not in registryd.8"
    done
}

check_errors() {
    errors=$(sed -n 's/^ *\(CB_E[A-Z]*\)\( = .*\)\{0,1\},.*/\1/p' libcbclient/cbclient.h)
    expect_some "errors in cbclient.h" "$errors"
    for error in $errors; do
        grep -q "^\.It .*$error" docs/man/cbclient.3 || complain "$error is not in cbclient.3"
    done
}

# A test that a document names is there under that name.
check_tests() {
    # shellcheck disable=SC2016 # backquotes of the text
    grep -o '`test_[a-z_]*`' README.md docs/*.md | tr -d '`' | while IFS=: read -r file name; do
        [ -n "$(find tests -name "$name.c")" ] || complain "$file: there is no $name"
    done
}

check_causes() {
    causes=$(sed -n 's/^ *X(CAUSE_[A-Z_]*, [1-9][0-9]*, "\(.*\)").*/\1/p' core/words.h)
    expect_some "causes in core/words.h" "$causes"
    echo "$causes" | while read -r cause; do
        sed -n '/^## Causes/,/^## Closed/p' docs/states.md | grep -q "^| .*$cause.* | " ||
            complain "cause '$cause' is not in docs/states.md"
        grep -q "^\.Ql $cause\( \|$\)" docs/man/cbctl.1 || complain "cause '$cause' is not in cbctl.1"
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
check_daemon
check_causes
check_functions
check_errors
check_tests
check_links
check_manuals
[ ! -s "$failed" ]
