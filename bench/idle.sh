#!/usr/bin/env bash
# 100,000 sockets that do nothing (Q-12). Writes bench/out/idle.md. SOCKETS (100000) and SECONDS_EACH (30) change it.
# Both ends need descriptors: run it as somebody who may raise the limit, or with a smaller number.
set -euo pipefail
cd "$(dirname "$0")/.."
source bench/serve.sh
sockets=${SOCKETS:-100000}
ulimit -n $((sockets + 1000)) || { echo "no more than $(ulimit -Hn) descriptors here: SOCKETS=18000 $0" >&2; exit 1; }

{
    printf '# Idle sockets on the bus\n\n%s Memory is what the process holds (resident), without the kernel'"'"'s buffers.\n\n' "$(machine)"
    serve_odeon
    "$load" idle --server "127.0.0.1:$port" --server-pid "$server" --sockets "$sockets" --seconds "${SECONDS_EACH:-30}"
} | tee bench/out/idle.md
