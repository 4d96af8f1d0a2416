#!/usr/bin/env bash
# Replays a whole trace over three gateway processes for three departments, whose budgets run out at about 80 % of it.
#
#   loadtest/replay.sh BURSAR TRACE [FOLDER]      BURSAR is the program, such as .build/release/bursar
#
# Writes replay.json into FOLDER (default: the current one). Set SPEED (100), GATEWAYS (3), SHARE (0.8), FIRST_DENIAL
# (0.995, the least share of an allowance that must be used when it first refuses), and LOAD, another program for the
# generator's side.
set -euo pipefail
bursar=${1:?"the path of the program is missing"}
trace=${2:?"the path of the trace is missing"}
out=${3:-.}
load=${LOAD:-$bursar}
mkdir -p "$out"
. "$(dirname "${BASH_SOURCE[0]}")/stack.sh"

departments=(marketing legal engineering)
start_stack "${GATEWAYS:-3}"
# Requests go to the departments in turn, so the sum over each third row is what one of them would use.
amounts=$(awk -F , -v share="${SHARE:-0.8}" '
    NR > 1 && NF == 3 { sum[(NR - 2) % 3] += $2 + $3 }
    END { for (i = 0; i < 3; i++) printf "%d\n", sum[i] * share }' "$trace")
number=0
for amount in $amounts; do
    department=${departments[number]}
    "$bursar" account put "$department" --parent default --kind department --server "$console" --quiet \
        >>"$folder/account"
    "$bursar" budget put "$department" tokens --unit tokens --amount "$amount" --every year --server "$console" \
        --quiet >>"$folder/account"
    number=$((number + 1))
done
make_key default
echo "load average $(cut -d ' ' -f 1-3 /proc/loadavg)"
"$load" load --scenario replay --trace "$trace" --speed "${SPEED:-100}" --gateways "$gateways" \
    --key-file "$folder/key" --accounts "$(IFS=,; echo "${departments[*]}")" --console "$console" --redis "$redis" \
    --first-denial-at-least "${FIRST_DENIAL:-0.995}" --json "$out/replay.json"
