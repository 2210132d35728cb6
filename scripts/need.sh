#!/usr/bin/env bash
# Checks that what is named (rust, node, python) is there, installs what Debian has, and names what it has not.
set -euo pipefail

missing=()

# at_least HAVE WANT: compares versions.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n1)" = "$2" ]; }

# installs Debian packages, if this is Debian and we may.
debian() {
    command -v apt-get >/dev/null || return 1
    local sudo=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
        sudo=(sudo)
    fi
    echo "installing from Debian: $*"
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 update >/dev/null &&
        "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@" >/dev/null
}

need_rust() {
    # The crypto library is C and assembly: it wants a C compiler, and nothing else on x86-64 and aarch64 Linux.
    command -v cc >/dev/null || debian build-essential || missing+=("a C compiler (Debian: build-essential)")
    if ! command -v cargo >/dev/null; then
        missing+=("Rust 1.89 or newer, by rustup: https://rustup.rs")
        return
    fi
    local version
    version=$(rustc --version | awk '{print $2}')
    at_least "$version" 1.89 || missing+=("Rust 1.89 or newer (here: $version): rustup update")
}

node_version() { node --version 2>/dev/null | tr -d v; }

need_node() {
    { command -v node && command -v npm; } >/dev/null || debian nodejs npm || true
    local version
    version=$(node_version || true)
    if [ -z "$version" ] || ! at_least "$version" 20.19; then
        missing+=("Node.js 20.19 or newer with npm (here: ${version:-none}): https://nodejs.org")
    fi
}

need_python() {
    python3 -c 'import ensurepip, venv' 2>/dev/null || debian python3 python3-venv ||
        missing+=("Python 3 with venv (Debian: python3-venv)")
}

for what in "$@"; do "need_$what"; done

if [ ${#missing[@]} -gt 0 ]; then
    echo "This machine lacks what can't be installed from here:" >&2
    printf '  - %s\n' "${missing[@]}" >&2
    exit 1
fi
