#!/usr/bin/env bash
# How fast a block, its end and a raise reach the last of several gateway processes, all on this machine.
#
#   loadtest/drill.sh BURSAR [FOLDER]      BURSAR is the program, such as .build/release/bursar
#
# Writes block-drill.json and raise-drill.json into FOLDER (default: the current one). Set GATEWAYS (8), ROUNDS (100),
# PAUSE between an answer and the next question to a gateway (0), and LOAD, another program for the generator's side.
set -euo pipefail
bursar=${1:?"the path of the program is missing"}
out=${2:-.}
rounds=${ROUNDS:-100} pause=${PAUSE:-0} load=${LOAD:-$bursar}
mkdir -p "$out"
. "$(dirname "${BASH_SOURCE[0]}")/stack.sh"

start_stack "${GATEWAYS:-8}"
"$bursar" account put drills --name Drills --parent default --server "$console" --quiet >"$folder/account"
make_key drills
code=0
for scenario in block-drill raise-drill; do
    echo "load average $(cut -d ' ' -f 1-3 /proc/loadavg)"
    "$load" load --scenario "$scenario" --gateways "$gateways" --console "$console" --key-file "$folder/key" \
        --accounts drills --rounds "$rounds" --probe-pause "$pause" --json "$out/$scenario.json" || code=$?
done
exit "$code"
