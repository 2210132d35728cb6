#!/usr/bin/env bash
# Runs the real clients against the binary that ODEON_BIN names (target/release/odeon by default): one server for each
# test file, on loopback, with ports of its own. `e2e/run.sh data lossy` runs the files with these names only.
set -uo pipefail
cd "$(dirname "$0")"
root=$PWD/..
target=${CARGO_TARGET_DIR:-$root/target}
export ODEON_BIN=${ODEON_BIN:-$target/release/odeon}
export ODEON_BENCH_BIN=${ODEON_BENCH_BIN:-$(dirname "$ODEON_BIN")/odeon-bench}
[[ -x $ODEON_BIN ]] || { echo "no program at $ODEON_BIN: cargo build --release -p odeon -p bench" >&2; exit 2; }
[[ -d node_modules && -d .venv && -d .venv-agents ]] || ./install.sh || exit 2
mkdir -p out
export E2E_TALLY=$PWD/out/tally
: >"$E2E_TALLY"
failed=0

# A file that hangs is ended: nothing here takes longer than this.
bounded() {
    timeout --kill-after=20 "$1" "${@:2}" || { failed=1; [[ $? = 124 ]] && echo "FAIL" >>"$E2E_TALLY"; }
}

wanted() {
    [[ ${#names[@]} = 0 ]] && return 0
    local name
    for name in "${names[@]}"; do [[ $1 == *$name* ]] && return 0; done
    return 1
}

names=("$@")
began=$SECONDS
for file in js/*.test.js; do
    wanted "$file" || continue
    echo "$file"
    bounded 420 node --test --test-reporter=./lib/reporter.js "$file"
done
if wanted rust; then
    echo "crates/bench/tests/e2e (our own client)"
    bounded 900 ./rust.sh
fi
passed=$(grep -c pass "$E2E_TALLY")
wrong=$(grep -c FAIL "$E2E_TALLY")
echo "in $((SECONDS - began)) s"
echo "$passed passed, $wrong failed"
[[ $wrong = 0 && $failed = 0 && $passed -gt 0 ]]
