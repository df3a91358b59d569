#!/usr/bin/env python3
"""Shows that teachers pass between this program and Hugging Face Transformers, both ways, with equal logits.

    python Tests/Goldens/check-transformers.py --teacher DIR [--understudy .build/release/understudy] [--work DIR]

1. DIR, a teacher that `understudy train teacher` wrote, is loaded by BertForSequenceClassification.from_pretrained
   (every tensor must be used, none left at random), and both programs score some sentences.
2. The loaded model is written again by save_pretrained, and this program scores the same sentences with that.
3. A new random model is written by Transformers alone, with DIR's tokenizer, and scored by both.

Needs torch and transformers, and an `understudy classify --logits` (the teacher answers alone with --defer-below 1 when
it stands as the only model). Exits with 1 where a logit differs by more than 1e-3 (1e-3 leaves room for printed digits).
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import torch
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

SENTENCES = [
    "市场今天小幅上涨，成交量放大", "主队在加时赛中逆转取胜", "新款电动车下月上市", "这所大学公布了招生计划",
    "玩家期待已久的更新终于来了", "博物馆展出一批古代青铜器", "ABC １２３ mixed Latin", "", "一",
    "很长的一行" * 150,
]
TOLERANCE = 1e-3


def theirs(directory):
    model, report = BertForSequenceClassification.from_pretrained(
        directory, output_loading_info=True, dtype=torch.float32)
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if report[kind]:
            sys.exit(f"{directory}: {kind} {report[kind]}")
    tokenizer = AutoTokenizer.from_pretrained(directory)
    with torch.no_grad():
        logits = [model.eval()(**tokenizer(s, return_tensors="pt", truncation=True, max_length=512)).logits[0].tolist()
                  for s in SENTENCES]
    return model, logits


def ours(program, directory):
    """A blank line is skipped by `classify`, so the empty sentence is not sent."""
    text = "".join(s + "\n" for s in SENTENCES if s)
    command = [program, "classify", "--teacher", directory, "--student", directory, "--defer-below", "1", "--logits"]
    out = subprocess.run(command, input=text, capture_output=True, text=True)
    if out.returncode:
        sys.exit(f"{' '.join(command)}: {out.stderr}")
    records = [json.loads(line) for line in out.stdout.splitlines()]
    return [find_logits(record) for record in records]


def find_logits(record):
    for key in ("teacher_logits", "logits", "student_logits"):
        if isinstance(record.get(key), list):
            return record[key]
        if isinstance(record.get(key), dict):
            return next(iter(record[key].values()))
    sys.exit(f"no logits in {record}")


def compare(name, a, b):
    a = [row for row, sentence in zip(a, SENTENCES) if sentence]
    worst = max(abs(x - y) for p, q in zip(a, b) for x, y in zip(p, q))
    print(f"{name}: {len(a)} sentences, largest difference of a logit {worst:.2e}")
    return len(a) == len(b) and worst < TOLERANCE


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", required=True)
    parser.add_argument("--understudy", default=".build/release/understudy")
    parser.add_argument("--work", default=None, help="a directory to write models to (default: a temporary one)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    good = True
    with tempfile.TemporaryDirectory() as temporary:
        work = args.work or temporary
        model, expected = theirs(args.teacher)
        good &= compare("written here, read by Transformers", expected, ours(args.understudy, args.teacher))

        tokenizer = AutoTokenizer.from_pretrained(args.teacher)
        again = os.path.join(work, "again")
        model.save_pretrained(again)
        tokenizer.save_pretrained(again)
        good &= compare("written by Transformers from that", expected, ours(args.understudy, again))

        torch.manual_seed(7)
        fresh = os.path.join(work, "fresh")
        config = BertConfig(
            vocab_size=model.config.vocab_size, hidden_size=96, num_hidden_layers=3, num_attention_heads=6,
            intermediate_size=200, hidden_act="gelu_new", pad_token_id=model.config.pad_token_id,
            initializer_range=0.2, id2label={i: f"label {i}" for i in range(7)},
            label2id={f"label {i}": i for i in range(7)})
        BertForSequenceClassification(config).save_pretrained(fresh)
        tokenizer.save_pretrained(fresh)
        good &= compare("a random model of Transformers", theirs(fresh)[1], ours(args.understudy, fresh))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
