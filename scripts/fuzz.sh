#!/usr/bin/env bash
# Runs each fuzz target for SECONDS_EACH seconds (60). Crashes are kept under fuzz/artifacts: a crash file belongs into a test.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${SECONDS_EACH:-60}
toolchain=${FUZZ_TOOLCHAIN:-nightly}

if ! rustup toolchain list | grep -q "^$toolchain"; then
    echo "fuzzing needs a nightly toolchain: rustup toolchain install nightly" >&2
    exit 1
fi
command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz

targets=("$@")
if [ ${#targets[@]} = 0 ]; then
    mapfile -t targets < <(cargo "+$toolchain" fuzz list)
fi
for target in "${targets[@]}"; do
    echo "=== $target, $seconds s"
    cargo "+$toolchain" fuzz run "$target" -- -max_total_time="$seconds" -print_final_stats=1
done
