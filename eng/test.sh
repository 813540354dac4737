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

if [ "${INSTALL:-yes}" = no ]; then exec eng/install.sh tests; fi
step "Packages" eng/install.sh tests || { fail "packages"; finish; }
step "Build" make --no-print-directory all || { fail "build"; finish; }

if step "Formatter" dotnet format whitespace Rum.slnx --verify-no-changes --no-restore; then passed=$((passed + 1)); else fail "formatter: run make format"; fi

# One assembly after the other: several start silos and measure time-outs. The summary of all is printed last.
log=artifacts/test/dotnet.log
step "Tests" dotnet test --solution Rum.slnx -c "${CONFIGURATION:-Release}" --no-build --max-parallel-test-modules 1 --no-ansi --output Detailed --no-progress 2>&1 \
    | tee "$log" | grep --line-buffered -Ev '^passed |^  from '
code=${PIPESTATUS[0]}
count() { sed -n "s/^ *$1: \([0-9]*\)\$/\1/p" "$log" | tail -1; }
run_passed=$(count succeeded) run_failed=$(count failed) run_skipped=$(count skipped)
passed=$((passed + ${run_passed:-0}))
failed=$((failed + ${run_failed:-0}))
skipped=$((skipped + ${run_skipped:-0}))
# "skipped NAME", then indented lines: where it is from, and the reason.
awk '/^skipped /{ name = $2; next } name != "" && /^  from /{ next } name != "" && /^  /{ sub(/^ +/, ""); print name ": " $0 } { name = "" }' "$log" >> "$skips"
[ "$code" -eq 0 ] || [ "${run_failed:-0}" -gt 0 ] || fail "dotnet test ended with code $code"
finish
