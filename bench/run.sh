#!/usr/bin/env bash
# The load figures: starts the release binary on loopback, loads it with odeon-bench, and writes bench/out/figures.md.
# Without estimation of the ways down, which the program that it is measured against leaves out too. SECONDS_EACH (20) is the length of a window, SUBSCRIBERS (100) the audience.
set -euo pipefail
cd "$(dirname "$0")/.."
source bench/serve.sh
serve_odeon --rtc.congestion_control=false

{
    echo "# Load figures"
    echo
    echo "$(machine) One shard." \
        "CPU is the server's whole process, kernel included; receivers take single datagrams (no UDP_GRO)," \
        "so that the segmentation of GSO sends is the server's to pay."
    echo
    "$load" all --url "ws://127.0.0.1:$port" --server-pid "$server" \
        --seconds "${SECONDS_EACH:-20}" --subscribers "${SUBSCRIBERS:-100}" 2> >(tee bench/out/threads.txt >&2)
} | tee bench/out/figures.md
