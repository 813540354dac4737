#!/bin/bash
# Builds and runs every test that this machine can run. The last line is "RESULT: N passed, N failed, N skipped";
# the exit code is 0 only when something ran and nothing failed.
set -uo pipefail
cd "$(dirname "$0")/.."
. eng/steps.sh

passed=0 failed=0 skipped=0
skips=artifacts/test/skipped.txt
mkdir -p artifacts/test
: > "$skips"

finish() {
    if [ -s "$skips" ]; then
        echo
        echo "Skipped, and why:"
        sed 's/^/  /' "$skips"
    fi
    [ $((passed + failed)) -gt 0 ] || { echo "No test ran."; failed=1; }
    echo "RESULT: $passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ] || exit 1
    exit 0
}

fail() {
    echo "FAILED: $1"
    failed=$((failed + 1))
}

step "Packages" eng/install.sh || { fail "packages"; finish; }
step "Build" make --no-print-directory all || { fail "build"; finish; }

if step "Formatter" dotnet format whitespace Rum.slnx --verify-no-changes --no-restore; then passed=$((passed + 1)); else fail "formatter: run make format"; fi

# Every assembly of tests; its summary is the last one printed.
log=artifacts/test/dotnet.log
step "Tests" dotnet test --solution Rum.slnx -c "${CONFIGURATION:-Release}" --no-build --no-ansi --output Detailed --no-progress > >(tee "$log" | grep -Ev '^ *passed ') 2>&1
code=$?
sleep 0.2
count() { sed -n "s/^ *$1: \([0-9]*\)\$/\1/p" "$log" | tail -1; }
run_passed=$(count succeeded) run_failed=$(count failed) run_skipped=$(count skipped)
passed=$((passed + ${run_passed:-0}))
failed=$((failed + ${run_failed:-0}))
skipped=$((skipped + ${run_skipped:-0}))
grep -A1 -E '^ *skipped ' "$log" | grep -v '^--' | paste -sd' \n' | sed 's/^ *skipped //; s/  */ /g' >> "$skips"
[ "$code" -eq 0 ] || [ "${run_failed:-0}" -gt 0 ] || fail "dotnet test ended with code $code"
finish
