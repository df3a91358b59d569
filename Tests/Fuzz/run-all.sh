#!/usr/bin/env bash
# Runs all targets, or the given ones, one after another, until each has EXECUTIONS executions in total or has run for
# SECONDS: Tests/Fuzz/run-all.sh EXECUTIONS SECONDS [TARGET...]
# The totals are kept in work/fuzz/runs.tsv (target, executions, seconds) across calls; a finding ends a target.
set -uo pipefail
cd "$(dirname "$0")/../.."

wanted=${1:?how many executions}
seconds=${2:?how many seconds for each target}
shift 2
# The fastest ones first.
targets=("$@")
if (( ! $# )); then
    targets=(status-address http-request json training-data human-labels tokenizer-json word-vectors vocabulary safetensors
        zstd gzip lines teacher-logits model-directory tokenize configuration spool tokenizer-directory state)
fi
# Longer inputs reach no more code and only take longer.
declare -A longest=([status-address]=128 [tokenizer-json]=2048 [model-directory]=2048 [tokenizer-directory]=2048
    [tokenize]=256 [word-vectors]=256 [human-labels]=256 [teacher-logits]=256 [gzip]=256 [zstd]=256 [vocabulary]=256)
mkdir -p work/fuzz
runs=work/fuzz/runs.tsv
touch "$runs"

for target in "${targets[@]}"; do
    done=$(awk -F'\t' -v target="$target" '$1 == target { sum += $2 } END { print sum + 0 }' "$runs")
    if (( done >= wanted )); then continue; fi
    log="work/fuzz/$target.log"
    start=$(date +%s)
    status=0
    Tests/Fuzz/run.sh "$target" -runs=$((wanted - done)) -max_total_time="$seconds" -max_len="${longest[$target]:-512}" \
        >"$log" 2>&1 || status=$?
    made=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    printf '%s\t%s\t%s\n' "$target" "${made:-0}" "$(($(date +%s) - start))" >>"$runs"
    echo "$target: ${made:-0} executions, $((done + ${made:-0})) in all$( ((status)) && echo "; see $log")"
done
