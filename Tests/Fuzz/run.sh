#!/usr/bin/env bash
# Runs one target: Tests/Fuzz/run.sh TARGET [options and folders of libFuzzer]
# New inputs are written to work/fuzz/TARGET, crashing ones to work/fuzz/TARGET-found. Limits: 5 s and 1 GiB per input.
# Examples: Tests/Fuzz/run.sh lines -runs=10000000
#           Tests/Fuzz/run.sh lines work/fuzz/lines-found/crash-…
set -euo pipefail
cd "$(dirname "$0")/../.."

target=${1:?the name of a target is missing}
shift
scratch=.build-fuzz
if [[ "${SANITIZE:-}" == address ]]; then scratch=.build-fuzz-address; fi
work="work/fuzz/$target"
mkdir -p "$work" "$work-found"

options=(-timeout=5 -rss_limit_mb=1024 -artifact_prefix="$work-found/" -print_final_stats=1)
dictionary="Tests/Fuzz/dictionaries/$target.dict"
if [[ -e "$dictionary" ]]; then options+=(-dict="$dictionary"); fi
folders=("$work" "Tests/Fuzz/corpus/$target")
# Inputs given as arguments are run instead of the corpus.
for argument in "$@"; do if [[ "$argument" != -* && -f "$argument" ]]; then folders=(); fi; done

status=0
FUZZ_TARGET="$target" SWIFT_BACKTRACE=enable=no nice -n 5 \
    "$scratch/release/understudy-fuzz" "${options[@]}" "$@" "${folders[@]}" || status=$?
# Folders that a crashed run couldn't remove.
for folder in /dev/shm/fuzz-understudy-*; do
    process=${folder#/dev/shm/fuzz-understudy-}
    if [[ -d "$folder" && ! -d "/proc/${process%%-*}" ]]; then rm -rf "$folder"; fi
done
exit "$status"
