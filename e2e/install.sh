#!/usr/bin/env bash
# Installs the unmodified clients: npm and PyPI packages at pinned versions, and Chromium from Debian if there is none. With it
# come Pebble, the ACME authority, and ffmpeg; where there is no Debian to take them from, the tests that need them say that they did not run.
set -euo pipefail
cd "$(dirname "$0")"

have_chromium() {
    [[ -n ${CHROMIUM:-} ]] || command -v chromium chromium-browser google-chrome >/dev/null
}

from_debian() {
    command -v apt-get >/dev/null || return 1
    local sudo=()
    [[ $(id -u) = 0 ]] || sudo=(sudo)
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null
    "${sudo[@]}" apt-get clean
}

have_chromium || from_debian chromium || { echo "Chromium is missing: install it and set CHROMIUM to its path" >&2; exit 1; }
[[ -n ${PEBBLE:-} ]] || command -v pebble >/dev/null || from_debian pebble || echo "Pebble is missing: ACME will not be tested" >&2
command -v ffmpeg >/dev/null && command -v ffprobe >/dev/null || from_debian ffmpeg || echo "ffmpeg is missing: recordings that need it will not be tested" >&2
[[ -x .venv/bin/python ]] || python3 -m venv .venv
.venv/bin/python -m pip install -q --no-cache-dir --disable-pip-version-check -r requirements.txt
# Of its own: the agents' framework wants an older release of the SDK than the other tests.
[[ -x .venv-agents/bin/python ]] || python3 -m venv .venv-agents
.venv-agents/bin/python -m pip install -q --no-cache-dir --disable-pip-version-check -r requirements-agents.txt
npm ci --silent --no-audit --no-fund
echo "real clients: $(grep -c '"version"' package-lock.json) npm packages, $(.venv/bin/python -m pip list --format=freeze | wc -l) from PyPI"
