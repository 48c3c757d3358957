#!/bin/bash
# run.sh BUILD_DIR SECONDS: builds the fuzz targets there and runs each for its share of the time, beginning with its
# corpus. What breaks one is kept in BUILD_DIR/tests/fuzz. New inputs stay in BUILD_DIR; a good one belongs in corpus/.
set -u
here=$(dirname "$(readlink -f "$0")")
targets=(request policy config state trace header)
build=${1:?usage: run.sh BUILD_DIR SECONDS} seconds=${2:?usage: run.sh BUILD_DIR SECONDS}
share=$(((seconds + ${#targets[@]} - 1) / ${#targets[@]}))
mkdir -p "$build" || exit 1
log=$build/fuzz.log
cmake -S "$here/../.." -B "$build" -G Ninja -DCMAKE_C_COMPILER=clang -DCB_WERROR=ON -DCB_FUZZ=ON -DCB_TESTS=OFF \
    -DCB_EXAMPLES=OFF -DCB_BENCH=OFF >"$log" 2>&1 && ninja -C "$build" fuzzers >"$log" 2>&1 || {
    cat "$log"
    exit 1
}
cd "$build/tests/fuzz" || exit 1
bad=0
for target in "${targets[@]}"; do
    mkdir -p "found/$target"
    if "./fuzz_$target" -max_total_time="$share" -max_len=1024 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="$target-" "found/$target" "$here/corpus/$target" >"$target.log" 2>&1; then
        echo "$target: $(awk '/number_of_executed_units/ { print $2 }' "$target.log") inputs, nothing found"
    else
        echo "$target: BROKEN, see $PWD/$target.log"
        tail -n 30 "$target.log"
        bad=1
    fi
done
exit $bad
