# Sourced: starts servers on loopback for a bench, and ends them by their process ids.
target=${CARGO_TARGET_DIR:-$PWD/target}
odeon=${ODEON_BIN:-$target/release/odeon}
load=${ODEON_BENCH_BIN:-$target/release/odeon-bench}
[[ -x $odeon && -x $load ]] || cargo build --release --locked -p odeon -p bench
mkdir -p bench/out
data=$(mktemp -d)
servers=()

stop_servers() {
    local server
    for server in "${servers[@]}"; do
        kill "$server" 2>/dev/null
        wait "$server" 2>/dev/null || true
    done
    servers=()
}
trap 'stop_servers; rm -rf "$data"' EXIT

# wait_for PORT: until something listens there.
wait_for() {
    for _ in $(seq 200); do
        (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
        kill -0 "$server" || return 1
        sleep 0.05
    done
    return 1
}

# serve_odeon ARGUMENT…: sets `server` and `port`.
serve_odeon() {
    port=$((20000 + RANDOM % 10000))
    env -u ODEON_BIN -u ODEON_BENCH_BIN "$odeon" --dev --http.port="$port" --rtc.udp_port=0 --rtc.tcp_port=0 \
        --rtc.shards=1 --data-dir="$data" "$@" >bench/out/server.log 2>&1 &
    server=$! # `env` becomes the server
    servers+=("$server")
    wait_for "$port" || { cat bench/out/server.log; exit 1; }
}

# serve_node FILE: sets `server` and `port`.
serve_node() {
    port=$((20000 + RANDOM % 10000))
    node "bench/peers/$1" "$port" >bench/out/peer.log 2>&1 &
    server=$!
    servers+=("$server")
    wait_for "$port" || { cat bench/out/peer.log; exit 1; }
}

machine() {
    echo "$(date -u +%F), $(git rev-parse --short HEAD 2>/dev/null || echo '?'), $(nproc) cores," \
        "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), Linux $(uname -r), loopback."
}
