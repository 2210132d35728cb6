#!/usr/bin/env bash
# What takes too long for every test: the whole loss matrix in virtual time (Q-2), as a table.
set -euo pipefail
cd "$(dirname "$0")/.."
exec cargo test --release --locked -p sim --test loss -- --ignored --nocapture --test-threads=1
