#!/usr/bin/env bash
# Our own client's end-to-end tests, in the profile of the unit tests: what those built is used again.
set -uo pipefail
cd "$(dirname "$0")/.."
mkdir -p e2e/out
last=$EPOCHREALTIME
export RUST_BACKTRACE=0
# `--workspace`, though only one crate has this test: with the features that the unit tests were built with, nothing
# is compiled anew.
# One at a time: some measure times, and the machine is small. libtest ends a test's line when the test ends.
cargo test -q --workspace --test e2e --no-run || exit 1
cargo test --workspace --test e2e -- --ignored --test-threads=1 "$@" 2>e2e/out/rust.err | tee e2e/out/rust.log |
    while IFS= read -r line; do
        if [[ $line =~ ^test\ (.*)\ \.\.\.\ (.*)$ ]]; then
            now=$EPOCHREALTIME
            name=${BASH_REMATCH[1]#*::} outcome=pass
            [[ ${BASH_REMATCH[2]} == ok ]] || outcome=FAIL
            awk -v o="$outcome" -v a="$last" -v b="$now" -v n="${name//_/ }" 'BEGIN { printf "  %s %6.1f s  %s\n", o, b - a, n }'
            echo "$outcome" >>"${E2E_TALLY:-/dev/null}"
            last=$now
        elif [[ -n ${failures:-} || $line == failures: ]]; then
            failures=1
            echo "         | $line"
        fi
    done
exit "${PIPESTATUS[0]}"
