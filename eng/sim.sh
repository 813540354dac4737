#!/bin/bash
# The simulator of the whole client: eng/sim.sh [SEEDS] [SEED]. With SEED only that one runs, once per kind of run; what fails prints its last events.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUM_SIM_SEEDS=${1:-1000} RUM_SIM_SEED=${2:-}
dotnet build tests/Simulation -c "${CONFIGURATION:-Release}" -nologo -v:quiet -clp:NoSummary
exec dotnet run --project tests/Simulation -c "${CONFIGURATION:-Release}" --no-build -- -namespace "Rum.Simulation.Client"
