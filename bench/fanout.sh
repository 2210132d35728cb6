#!/usr/bin/env bash
# A message to 500 sockets (P-6): Odeon's bus beside Node's `ws` and `socket.io`, one after the other with the same load.
# Writes bench/out/fanout.md. SOCKETS (500), MOVERS (500) and SECONDS_EACH (10) change it.
set -euo pipefail
cd "$(dirname "$0")/.."
source bench/serve.sh
[[ -d bench/peers/node_modules ]] || npm ci --prefix bench/peers --silent --no-audit --no-fund

measure() {
    "$load" fanout --server "127.0.0.1:$port" --server-pid "$server" --dialect "$2" --name "$1" \
        --sockets "${SOCKETS:-500}" --movers "${MOVERS:-500}" --seconds "${SECONDS_EACH:-10}"
    stop_servers
}

{
    printf '# Message fan-out\n\n%s CPU is the whole process of the server, kernel included.\n\n' "$(machine)"
    # The limit of one socket is for people; here one socket says what a program can.
    serve_odeon --bus.messages_per_second=1000000
    measure Odeon bus
    serve_node ws.js
    measure 'Node `ws`' bus | tail -n +3
    serve_node socketio.js
    measure '`socket.io`' socket-io | tail -n +3
} | tee bench/out/fanout.md
