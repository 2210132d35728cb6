#!/usr/bin/env bash
# The web page: `install`, `check`, `build` or `browser` (in Chromium, which must be there). Installs only when the lock file has changed, builds only when a source has.
set -euo pipefail
cd "$(dirname "$0")/../web"

install() {
    local stamp=node_modules/.installed
    if [ ! -e $stamp ] || [ package-lock.json -nt $stamp ]; then
        npm ci --no-audit --no-fund --loglevel=error
        touch $stamp
    fi
}

is_built() {
    [ -e dist/index.html ] &&
        [ -z "$(find . -path ./node_modules -prune -o -path ./dist -prune -o -type f -newer dist/index.html -print -quit)" ]
}

case "$1" in
install) install ;;
check)
    install
    npm run --silent check
    ;;
build)
    is_built && exit 0
    install
    npm run --silent build
    # A build that changed nothing keeps the old time, and would be done again and again.
    touch dist/index.html
    ;;
browser)
    install
    npm run --silent browser
    ;;
*)
    echo "web.sh: install, check, build or browser, not $1" >&2
    exit 2
    ;;
esac
