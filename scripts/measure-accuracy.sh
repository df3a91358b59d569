#!/usr/bin/env bash
# Measures what docs/performance.md says of accuracy.
#
#   scripts/measure-accuracy.sh DATA TEACHER [PYTHON]
#
# DATA holds tnews5/ and thucnews/ (see docs/performance.md), TEACHER is the five-class teacher, PYTHON has scikit-learn.
# Everything is written to work/accuracy; a part that is there already is not made again.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${1:?the data folder}
teacher=${2:?the teacher directory}
python=${3:-python3}
understudy=${UNDERSTUDY:-$PWD/.build/release/understudy}
out=work/accuracy
mkdir -p "$out"
news=$data/tnews5
# The recipe of every distilled student here and of the bundled one, chosen on validation lines.
recipe=(--loss kl --temperature 2 --lambda 0.5 --epochs 8 --shortcut-rate 10 --hidden-size 64)

student() { # NAME OPTION… : a student, and what evaluate says of it on the unseen and on all test rows
    local name=$1
    shift
    [[ -e $out/$name/config.json ]] || "$understudy" distill "$@" --out "$out/$name" 2>"$out/$name.log" >/dev/null
    for rows in test-unseen test; do
        [[ -e $news/$rows.jsonl ]] || continue
        printf '%-24s %-12s %s\n' "$name" "$rows" "$("$understudy" evaluate --data "$news/$rows.jsonl" \
            --student "$out/$name" 2>/dev/null | grep -m 1 '^accuracy  ')"
    done
}

echo "== five classes"
"$python" scripts/tfidf-baseline.py "$news/train.jsonl" "$news/test-unseen.jsonl" "$news/test.jsonl"
for seed in 0 1 2; do
    student "distilled-$seed" --teacher "$teacher" --train "$news/train.jsonl" --unlabeled "$news/transfer.jsonl" \
        --exclude "$news/test.jsonl" --seed "$seed" "${recipe[@]}"
done

echo "== the seed code's student"
student seed-code --no-teacher --train "$news/train.jsonl" --tokenizer characters --embeddings random \
    --embedding-size 300 --hidden-size 300 --dense-size 192 --pooling max --shortcut-bits 0 --optimizer sgd \
    --learning-rate 0.05 --schedule constant --warmup 0 --clip 0 --batch 64 --epochs 3 --order file \
    --embedding-deviation 1 --lstm-initialization pytorch --dropout 0 --embedding-dropout 0

echo "== few labels: 1,500 labelled lines"
few=$out/few
mkdir -p "$few"
"$python" - "$news/train.jsonl" "$few" <<'PY'
import json, random, sys
rows = [json.loads(l) for l in open(sys.argv[1], encoding="utf-8") if l.strip()]
random.Random(1500).shuffle(rows)
with open(sys.argv[2] + "/train.jsonl", "w", encoding="utf-8") as f:
    for row in rows[:1500]:
        f.write(json.dumps(row, ensure_ascii=False) + "\n")
with open(sys.argv[2] + "/rest.jsonl", "w", encoding="utf-8") as f:
    for row in rows[1500:]:
        f.write(json.dumps({"text": row["text"]}, ensure_ascii=False) + "\n")
PY
base=${BASE:-work/base}
[[ -e $out/few-teacher/config.json ]] || "$understudy" train teacher --base "$base" --train "$few/train.jsonl" \
    --epochs 6 --out "$out/few-teacher" >/dev/null 2>"$out/few-teacher.log"
printf '%-24s %-12s %s\n' few-teacher test-unseen "$("$understudy" evaluate --data "$news/test-unseen.jsonl" \
    --teacher "$out/few-teacher" --threads 2 2>/dev/null | grep -m 1 '^accuracy  ')"
"$python" scripts/tfidf-baseline.py "$few/train.jsonl" "$news/test-unseen.jsonl"
student few-alone --no-teacher --embeddings "context:$out/few-teacher" --train "$few/train.jsonl" --epochs 12
student few-distilled --teacher "$out/few-teacher" --train "$few/train.jsonl" \
    --unlabeled "$few/rest.jsonl" "$news/transfer.jsonl" --exclude "$news/test.jsonl" \
    "${recipe[@]}"

echo "== ten classes, the same recipe"
ten=$out/ten
mkdir -p "$ten"
"$python" - "$data/thucnews/train.jsonl" "$ten" <<'PY'
import json, random, sys
rows = [json.loads(l) for l in open(sys.argv[1], encoding="utf-8") if l.strip()]
texts = sorted({row["text"] for row in rows})
random.Random(10).shuffle(texts)
held = set(texts[: len(texts) // 10])
for name, part in (("train", False), ("validation", True)):
    with open(f"{sys.argv[2]}/{name}.jsonl", "w", encoding="utf-8") as f:
        for row in rows:
            if (row["text"] in held) == part:
                f.write(json.dumps(row, ensure_ascii=False) + "\n")
PY
# The tenth chooses the epoch and the temperature as well, so nine tenths are learnt from, as by the baseline.
# TEN_BASE is the base with the vocabulary of these lines: scripts/make-base.py --corpus $data/thucnews/train.jsonl
[[ -e $out/ten-teacher/config.json ]] || "$understudy" train teacher --base "${TEN_BASE:-$base}" --train "$ten/train.jsonl" \
    --validation "$ten/validation.jsonl" --out "$out/ten-teacher" >/dev/null 2>"$out/ten-teacher.log"
for seed in 0 1 2; do
    [[ -e $out/ten-student-$seed/config.json ]] || "$understudy" distill --teacher "$out/ten-teacher" \
        --train "$ten/train.jsonl" --validation "$ten/validation.jsonl" "${recipe[@]}" --seed "$seed" \
        --out "$out/ten-student-$seed" >/dev/null 2>"$out/ten-student-$seed.log"
done
"$python" scripts/tfidf-baseline.py "$ten/train.jsonl" "$ten/validation.jsonl"
for seed in 0 1 2; do
    "$understudy" evaluate --data "$ten/validation.jsonl" --student "$out/ten-student-$seed" \
        --teacher "$out/ten-teacher" --threads 2 2>/dev/null | grep '^accuracy  '
done

echo "== the same student without a teacher"
for seed in 0 1 2; do
    student "alone-$seed" --no-teacher --embeddings "context:$teacher" --train "$news/train.jsonl" --seed "$seed"
    student "alone-random-$seed" --no-teacher --tokenizer "$teacher" --embeddings random --train "$news/train.jsonl" \
        --seed "$seed"
done
