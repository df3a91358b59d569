#!/usr/bin/env bash
# Speeds of the embedded pair against ONNX Runtime and PyTorch on one core.
#
#   DATA=lines.jsonl [PYTHON=python3] Benchmarks/run.sh
#
# The teacher's comparison needs one that Transformers loads (f32 or f16): TEACHER=directory and its STUDENT=directory.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${DATA:?DATA must name a JSON Lines file with texts}
python=(${PYTHON:+--python "$PYTHON"})
Benchmarks/compare-student.py --student share/models/student --data "$data" "${python[@]}"
if [[ -n ${TEACHER:-} ]]; then
    Benchmarks/compare-teacher.py --teacher "$TEACHER" --student "${STUDENT:?the student that belongs to it}" \
        --data "$data" "${python[@]}"
fi
