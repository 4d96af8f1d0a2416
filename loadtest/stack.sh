# Bash functions for the scripts beside this file: a private Redis, a console and gateways on loopback, which all end
# with the script. The script that reads this has set -euo pipefail and the variable bursar, the path of the program.

folder=$(mktemp -d)
pids=()
token=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
redis=unix://$folder/redis.sock
# Settings of whoever runs this are not those of the stack.
while read -r name; do unset "$name"; done < <(compgen -v BURSAR_ || true)

stop_stack() {
    local code=$? index
    trap - EXIT INT TERM
    # The last one first: gateways give their slices back before the console and Redis go.
    for ((index = ${#pids[@]} - 1; index >= 0; index--)); do
        kill -TERM "${pids[index]}" 2>/dev/null || true
        if ((index <= 1)); then wait "${pids[index]}" 2>/dev/null || true; fi
    done
    wait
    rm -rf "$folder"
    exit "$code"
}
trap stop_stack EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
    echo "$(basename "$0"): $1" >&2
    exit 1
}

# await FILE PID: prints the URL that a server says it listens on.
await() {
    local url
    # The child may not have opened its file yet.
    touch "$1" "$1.log"
    for _ in $(seq 200); do
        url=$(sed -n 's/^listening on //p' "$1" | head -n 1)
        if [ -n "$url" ]; then
            echo "$url"
            return
        fi
        kill -0 "$2" 2>/dev/null || break
        sleep 0.1
    done
    tail -n 20 "$1" "$1.log" >&2
    fail "$(basename "$1") did not start"
}

# start_stack GATEWAYS: sets console and gateways, the URLs, and BURSAR_TOKEN for the command line.
start_stack() {
    local number url
    redis-server --port 0 --unixsocket "$folder/redis.sock" --save '' --appendonly no --dir "$folder" \
        >"$folder/redis" 2>&1 &
    pids+=($!)
    for _ in $(seq 100); do
        [ -S "$folder/redis.sock" ] && break
        sleep 0.1
    done
    [ -S "$folder/redis.sock" ] || fail 'Redis did not start'

    BURSAR_ADMIN_TOKEN=$token "$bursar" console --redis "$redis" --listen 127.0.0.1:0 --create-organisation default \
        >"$folder/console" 2>"$folder/console.log" &
    pids+=($!)
    console=$(await "$folder/console" "${pids[-1]}")

    for number in $(seq "$1"); do
        BURSAR_ADMIN_TOKEN=$token "$bursar" gateway --redis "$redis" --listen 127.0.0.1:0 --node-id "g$number" \
            >"$folder/g$number" 2>"$folder/g$number.log" &
        pids+=($!)
    done
    gateways=
    for number in $(seq "$1"); do
        url=$(await "$folder/g$number" "${pids[number + 1]}")
        gateways+=${gateways:+,}$url
    done
    export BURSAR_TOKEN=$token
}

# make_key ACCOUNT: a key that may spend as the account and all below it, in $folder/key.
make_key() {
    (umask 077 && "$bursar" key create "$1" --name loadtest --role proxy --server "$console" --quiet >"$folder/key")
}
