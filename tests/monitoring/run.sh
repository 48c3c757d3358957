#!/bin/bash
# Metrics, alert rules and dashboard, held against a real Prometheus that scrapes a real registryd.
# Usage: run.sh SOURCE_DIR BUILD_DIR
set -euo pipefail
source=$1 build=$2
rules=$source/packaging/monitoring/registryd.rules.yml dashboard=$source/packaging/monitoring/grafana.json
folder=$(mktemp -d)
export CB_REGISTRY=test-monitoring-$$
registryd=("$build/registryd/registryd" --registry "$CB_REGISTRY" --runtime-dir "$folder/run")
daemon='' prometheus='' failed=0

finish() {
    for pid in $daemon $prometheus; do
        kill "$pid"
        wait "$pid" || true
    done
    "${registryd[@]}" --purge 2>"$folder/purge" || cat "$folder/purge"
    rm -rf "$folder"
}
trap finish EXIT

complain() {
    echo "$*" >&2
    failed=1
}

# await FILE PATTERN: what the first line with it has behind it.
await() {
    for _ in $(seq 300); do
        sed -n "s/.*$2//p" "$1" | head -n 1 | grep . && return
        sleep 0.1
    done
    cat "$1" >&2
    return 1
}

start_daemon() {
    "${registryd[@]}" --http 0 2>"$folder/daemon.log" &
    daemon=$!
    target=$(await "$folder/daemon.log" 'ready: .* http:\/\/')
    target=${target%/}
}

# Breakers in several states, with calls in all that can be counted.
use_breakers() {
    local cbctl=$build/tools/cbctl
    "$cbctl" create db failure_threshold=2 timing=precise
    "$cbctl" create 'cache/a' failure_threshold=2
    for _ in 1 2 3; do "$cbctl" run db -- true; done
    for _ in 1 2; do "$cbctl" run db -- false || true; done
    "$cbctl" run db -- true || true
    "$cbctl" force-open cache/a --for 1h --reason "ticket 4711"
} >"$folder/use.log" 2>&1

start_prometheus() {
    cat >"$folder/prometheus.yml" <<YAML
global: {scrape_interval: 200ms, evaluation_interval: 200ms}
rule_files: [registryd.rules.yml]
scrape_configs:
  - {job_name: registryd, static_configs: [{targets: ['$target']}]}
YAML
    promtool check config "$folder/prometheus.yml"
    prometheus --config.file="$folder/prometheus.yml" --storage.tsdb.path="$folder/data" \
        --web.listen-address=127.0.0.1:0 2>"$folder/prometheus.log" &
    prometheus=$!
    server=http://$(await "$folder/prometheus.log" 'msg="Listening on" address=')
    await "$folder/prometheus.log" 'msg="Server is ready to receive web ' >"$folder/ready"
}

query() { promtool query instant "$server" "$1"; }

# expect EXPRESSION VALUE: within a few scrapes.
expect() {
    local found=
    for _ in $(seq 100); do
        found=$(query "$1" | sed -n 's/.*=> \([^ ]*\) @.*/\1/p')
        [[ $found == "$2" ]] && return
        sleep 0.1
    done
    complain "$1 is '$found', not $2"
}

check_formats() {
    curl -sSf -H 'Accept: text/plain' "http://$target/metrics" >"$folder/classic"
    promtool check metrics <"$folder/classic" || complain "promtool finds fault with the metrics"
    curl -sSf "http://$target/metrics" >"$folder/open"
    /usr/bin/python3 - "$folder/open" <<'PYTHON' || complain "these are no OpenMetrics"
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = list(text_string_to_metric_families(open(sys.argv[1]).read()))
assert len(families) > 20 and sum(len(family.samples) for family in families) > 80, families
PYTHON
}

check_rules() {
    cp "$rules" "$source/tests/monitoring/rules_test.yml" "$folder/"
    { promtool check rules "$rules" && (cd "$folder" && promtool test rules rules_test.yml); } || complain "the rules fail"
    local untested
    untested=$(comm -23 <(sed -n 's/.*- alert: //p' "$rules" | sort) \
        <(grep -o 'alertname: [A-Za-z]*' "$folder/rules_test.yml" | sed 's/.*: //' | sort -u))
    [[ -z $untested ]] || complain "no test of: $untested"
}

check_scrapes() {
    expect 'up{job="registryd"}' 1
    expect 'cb_breaker_calls_total{breaker="db",outcome="success"}' 3
    expect 'cb_breaker_calls_total{breaker="db",outcome="failure"}' 2
    expect 'cb_breaker_rejections_total{breaker="db",kind="open"}' 1
    expect 'cb_breaker_state{breaker="db",state="open"}' 1
    expect 'cb_breaker_override{breaker="cache/a"}' 1
    expect 'cb_breaker_call_duration_seconds_count{breaker="db"}' 5
    expect 'count(cb_build_info{registry="'"$CB_REGISTRY"'"})' 1
    expect 'count(ALERTS{alertname="BreakerForcedOpen",alertstate="pending",breaker="cache/a"})' 1
}

# Every expression of dashboard and rules is understood, and every metric in them exists.
check_dashboard() {
    local expression name
    jq -r '.. | .expr? // empty, .definition? // empty' "$dashboard" >"$folder/expressions"
    [[ $(wc -l <"$folder/expressions") -gt 20 ]] || complain "found no expressions in the dashboard"
    while read -r expression; do
        expression=${expression//\$__rate_interval/1m} expression=${expression//\$instance/.*}
        expression=${expression//\$breaker/.*}
        [[ $expression == label_values* ]] || query "$expression" >"$folder/answer" 2>&1 ||
            complain "$expression: $(cat "$folder/answer")"
    done <"$folder/expressions"
    for name in $(cat "$folder/expressions" "$rules" | grep -o '\bcb_[a-z_]*' | sort -u); do
        grep -q "^$name[ {]" "$folder/open" || complain "there is no metric $name"
    done
}

# docs/monitoring.md has each family.
check_table() {
    local name
    for name in $(sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' "$folder/classic"); do
        grep -q "^| \`$name" "$source/docs/monitoring.md" || complain "docs/monitoring.md has no $name"
    done
}

start_daemon
use_breakers
check_formats
check_rules
start_prometheus
check_scrapes
check_dashboard
check_table
exit $failed
