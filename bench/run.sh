#!/usr/bin/env bash
# The load figures: starts the release binary on loopback, loads it with odeon-bench, and writes bench/out/figures.md.
# Without estimation of the ways down, which the program that it is measured against leaves out too. SECONDS_EACH (20) is the length of a window, SUBSCRIBERS (100) the audience.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
odeon=${ODEON_BIN:-$target/release/odeon}
load=${ODEON_BENCH_BIN:-$target/release/odeon-bench}
[[ -x $odeon && -x $load ]] || cargo build --release --locked -p odeon -p bench
mkdir -p bench/out
data=$(mktemp -d)
port=$((20000 + RANDOM % 20000))

env -u ODEON_BIN -u ODEON_BENCH_BIN "$odeon" --dev --http.port="$port" --rtc.udp_port=0 --rtc.shards=1 --rtc.congestion_control=false --data-dir="$data" >bench/out/server.log 2>&1 &
server=$! # `env` becomes the server
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -rf "$data"' EXIT
for _ in $(seq 200); do
    curl -fs -o /dev/null "http://127.0.0.1:$port/readyz" && break
    kill -0 "$server" || { cat bench/out/server.log; exit 1; }
    sleep 0.05
done

{
    echo "# Load figures"
    echo
    echo "$(date -u +%F), $(git rev-parse --short HEAD 2>/dev/null || echo '?'), $(nproc) cores," \
        "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), Linux $(uname -r), one shard, loopback." \
        "CPU is the server's whole process, kernel included; receivers take single datagrams (no UDP_GRO)," \
        "so that the segmentation of GSO sends is the server's to pay."
    echo
    "$load" all --url "ws://127.0.0.1:$port" --server-pid "$server" \
        --seconds "${SECONDS_EACH:-20}" --subscribers "${SUBSCRIBERS:-100}" 2> >(tee bench/out/threads.txt >&2)
} | tee bench/out/figures.md
