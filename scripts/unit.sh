#!/usr/bin/env bash
# The Rust unit tests, the fuzz bodies' sweeps among them. By cargo-nextest where there is one, which is faster.
set -euo pipefail
cd "$(dirname "$0")/.."
# Tests of the real binary under load have a stage of their own, which sets this.
unset ODEON_BIN
if cargo nextest --version >/dev/null 2>&1; then
    exec cargo nextest run --workspace --locked --no-fail-fast "$@"
fi
exec cargo test --workspace --locked --no-fail-fast "$@"
