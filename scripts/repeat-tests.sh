#!/usr/bin/env bash
# Runs the built tests again and again on a single core that two busy loops share: no test may depend on how fast the
# machine is. Prints a line for each run, and what failed in it.
#
#     swift build -c release --build-tests
#     scripts/repeat-tests.sh [TIMES] [ARGUMENT...]        once, if TIMES isn't given; arguments go to `swift test`
#
# CONFIGURATION=debug takes the debug build. Exit status: 0 if every run passed, 1 otherwise.
set -euo pipefail
cd "$(dirname "$0")/.."

times=${1:-1}
shift || true
configuration=${CONFIGURATION:-release}
hang=900    # seconds after which a run counts as hung

core=$(taskset -cp $$ | sed 's/.*: //; s/[,-].*//')
log=$(mktemp)
busy=()
clean_up() {
    kill "${busy[@]}" 2>/dev/null || true
    rm -f "$log"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP
for _ in 1 2; do
    # They also end if this script is killed.
    setpriv --pdeathsig KILL taskset -c "$core" bash -c 'while :; do :; done' &
    busy+=($!)
done

passed=0 failed=0
for (( run = 1; run <= times; run++ )); do
    began=$SECONDS
    status=0
    timeout --kill-after=10 "$hang" taskset -c "$core" swift test -c "$configuration" --skip-build "$@" \
        </dev/null >"$log" 2>&1 || status=$?
    case $status in
    0) verdict=passed ;;
    124 | 137) verdict="HUNG" ;;
    *) verdict="FAILED with status $status" ;;
    esac
    if (( status )); then failed=$((failed + 1)); else passed=$((passed + 1)); fi
    summary=$(grep -ao 'Test run with .*' "$log" | tail -n 1 || true)
    printf 'run %d of %d: %s in %d s: %s\n' "$run" "$times" "$verdict" $((SECONDS - began)) "${summary:-no summary}"
    (( status == 0 )) || { grep -aE '✘|recorded an issue|error:|Fatal' "$log" | head -n 20; tail -n 5 "$log"; }
done
printf '%d passed, %d failed\n' "$passed" "$failed"
(( failed == 0 ))
