#!/bin/bash
# make chaos: silos and programs as real processes, and faults for a bounded time. SECONDS_MAX=60 SEED=n. The last line is the result.
# BUSY=yes: no faults, but every CPU computes beside them, and nobody may be missed.
# In a network of its own where that is permitted, so that silos can be cut off; else on the loopback, without partitions.
set -uo pipefail
cd "$(dirname "$0")/.."

log=$PWD/${CHAOS_LOG:-artifacts/test/chaos.log}
mkdir -p "$(dirname "$log")"
: > "$log"
export RUM_CHAOS_SECONDS=${SECONDS_MAX:-60} RUM_CHAOS_SEED=${SEED:-} RUM_CHAOS_LOG=$log RUM_CHAOS_BUSY=${BUSY:-}
run=(dotnet artifacts/bin/Rum.Cluster.Tests/release/Rum.Cluster.Tests.dll -class '*ChaosTests')
tail -f "$log" & follows=$!
trap 'kill "$follows" 2> /dev/null' EXIT

if command -v nft > /dev/null && unshare -n true 2> /dev/null; then
    RUM_CHAOS_NETWORK=own unshare -n bash -c '
        ip link set lo up && nft add table inet chaos && nft add chain inet chaos input "{ type filter hook input priority 0; }" && exec "$@"' chaos "${run[@]}" > "$log.tests" 2>&1
else
    "${run[@]}" > "$log.tests" 2>&1
fi
code=$?
kill "$follows" 2> /dev/null
wait "$follows" 2> /dev/null
[ "$code" -eq 0 ] || { cat "$log.tests"; exit "$code"; }
tail -n 1 "$log"
