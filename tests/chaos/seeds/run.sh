#!/bin/sh
# run.sh CMAKE BUILD [NAME FOUND_AS]...: builds library and daemon with each mistake planted; the campaign must find it,
# as what is named here.
set -u
cmake=$1 build=$2
shift 2
"$cmake" --build "$build" --target chaos_seeds >"$build/tests/chaos/build.log" 2>&1 || {
    cat "$build/tests/chaos/build.log" >&2
    exit 1
}

escaped=0
while [ $# -ge 2 ]; do
    name=$1 found_as=$2
    shift 2
    log=$build/tests/chaos/$name.log
    "$build/tests/chaos/chaos_$name" --seed 1 --registryd "$build/tests/chaos/registryd_$name" 30 >"$log" 2>&1
    if [ $? -eq 1 ] && grep -q "^VIOLATION.*$found_as" "$log"; then
        echo "$name: found, $(grep -m 1 "^VIOLATION.*$found_as" "$log")"
    else
        echo "$name: NOT found as \"$found_as\"; see $log"
        escaped=1
    fi
done
exit $escaped
