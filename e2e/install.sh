#!/usr/bin/env bash
# Installs the unmodified clients: npm and PyPI packages at pinned versions, and Chromium from Debian if there is none.
set -euo pipefail
cd "$(dirname "$0")"

have_chromium() {
    [[ -n ${CHROMIUM:-} ]] || command -v chromium chromium-browser google-chrome >/dev/null
}

install_chromium() {
    command -v apt-get >/dev/null || { echo "Chromium is missing: install it and set CHROMIUM to its path" >&2; exit 1; }
    local sudo=()
    [[ $(id -u) = 0 ]] || sudo=(sudo)
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
}

have_chromium || install_chromium
[[ -x .venv/bin/python ]] || python3 -m venv .venv
.venv/bin/python -m pip install -q --disable-pip-version-check -r requirements.txt
npm ci --silent --no-audit --no-fund
echo "real clients: $(grep -c '"version"' package-lock.json) npm packages, $(.venv/bin/python -m pip list --format=freeze | wc -l) from PyPI"
