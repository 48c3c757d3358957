#!/bin/sh
# run.sh CMAKE BUILD [NAME HEALTHY SUITE/TEST]...: builds the seeded variants; each must fail the test that is named,
# which must pass without the seed.
set -u
cmake=$1 build=$2
shift 2
"$cmake" --build "$build" --target seeds >"$build/tests/seeds/build.log" 2>&1 || {
    cat "$build/tests/seeds/build.log" >&2
    exit 1
}

escaped=0
while [ $# -ge 3 ]; do
    name=$1 healthy=$2 test=$3
    shift 3
    log=$build/tests/seeds/$name.log
    if ! "$build/tests/$healthy" --filter "$test" >"$log" 2>&1; then
        echo "$name: $test fails without the seed; see $log"
        escaped=1
    elif "$build/tests/seeds/seed_$name" --filter "$test" >"$log" 2>&1; then
        echo "$name: NOT caught by $test"
        escaped=1
    elif ! grep -q "Failing: 1 | Crashing: 0" "$log"; then
        echo "$name: $test ended in another way than failing; see $log"
        escaped=1
    else
        echo "$name: caught by $test"
    fi
done
exit $escaped
