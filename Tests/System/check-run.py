#!/usr/bin/env python3
"""Checks what `make run` printed: one JSON object for each sample headline, in order, with the right fields, the label
that a person gave in nearly all cases, and a summary.

    Tests/System/check-run.py OUTPUT share/sample/headlines.tsv LOG
"""
import json
import sys

FIELDS = ["id", "source", "text", "label", "confidence", "by", "student", "teacher"]


def main():
    output, sample, log = (open(path, encoding="utf-8").read() for path in sys.argv[1:4])
    expected = [line.split("\t") for line in sample.splitlines()]
    answers = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    problems = []
    if len(answers) != len(expected):
        problems.append(f"{len(answers)} answers to {len(expected)} headlines")
    right = 0
    for answer, (label, text) in zip(answers, expected):
        if list(answer)[: len(FIELDS)] != FIELDS:
            problems.append(f"fields {list(answer)}")
        if answer["text"] != text:
            problems.append(f"out of order: {answer['text']} where {text} was due")
        if not 0 < answer["confidence"] <= 1 or answer["by"] not in ("student", "teacher"):
            problems.append(f"odd answer: {answer}")
        right += answer["label"] == label
    if right < 0.9 * len(expected):
        problems.append(f"only {right} of {len(expected)} labels are right")
    if f"{len(expected)} lines in" not in log:
        problems.append("no summary at the end")
    for problem in problems:
        print(f"check-run: {problem}", file=sys.stderr)
    print(f"check-run: {len(answers)} answers, {right} as expected")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
