#!/usr/bin/env bash
# The quick loop: format, lints, unit tests (which check the documents too).
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/stage.sh
stage "format" cargo fmt --all --check
stage "lints" cargo clippy --workspace --locked -- -D warnings
# What serves others never unwraps: a panic there is a peer's to cause. Tools that only we run may.
stage "lints: no unwrap" cargo clippy --workspace --exclude bench --exclude sim --locked -- \
    -D clippy::unwrap_used -D clippy::expect_used
# Tests have to begin with some instant, and may ask the clock for it.
stage "lints of tests" cargo clippy --workspace --all-targets --locked -- -D warnings -A clippy::disallowed_methods -A clippy::disallowed_types
stage "unit tests" scripts/unit.sh
if [ -d web/node_modules ]; then
    stage "page: checks" scripts/web.sh check
fi
if command -v cargo-deny >/dev/null; then
    stage "dependencies" cargo deny --offline --log-level error check bans licenses sources
fi
