#!/usr/bin/env bash
# Everything, from a clean checkout. Compiles twice: dev for unit tests, release for the tests with real clients.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/stage.sh
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
# Incremental state is of no use to a run that compiles once, and costs disk and time.
export CARGO_INCREMENTAL=${CARGO_INCREMENTAL:-0}
target=${CARGO_TARGET_DIR:-$PWD/target}

end_to_end() {
    ODEON_BIN=$target/release/odeon CARGO_TARGET_DIR=$target e2e/run.sh
}

# Where the disk is small, the unit tests' programs, which have run, make room for the release build and the clients. What
# our own client's tests are linked from stays.
make_room() {
    local free
    free=$(df --output=avail -m . | tail -1)
    echo "$((free / 1024)) GiB free; $(du -sm "$target/debug" | cut -f1) MiB taken by the unit tests"
    ((free < 6 * 1024)) || return 0
    find "$target/debug/deps" -maxdepth 1 -type f -executable -size +1M \
        ! -name '*.so' ! -name 'e2e-*' ! -name 'odeon*' -delete
    echo "$(df --output=avail -m . | tail -1) MiB free now"
}

stage "tools" scripts/need.sh rust node python
stage "format" cargo fmt --all --check
stage "page: checks" scripts/web.sh check
stage "page: build" scripts/web.sh build
stage "unit tests" scripts/unit.sh
stage "room on the disk" make_room
stage "release build" cargo build --release --locked -p odeon -p bench
stage "real clients: install" e2e/install.sh
stage "page: in Chromium" scripts/web.sh browser
stage "real clients" end_to_end
