#!/usr/bin/env python3
"""Compares understudy's teacher with PyTorch on the same weights, one core, and prints both and the ratio.

    Benchmarks/compare-teacher.py --teacher DIR --student DIR --data LINES.jsonl

understudy: `classify --defer-below 1`, which asks the teacher about every line; the whole process from start to exit,
with reading, tokenising, the student's pass and writing JSON Lines.
PyTorch: Transformers' BertForSequenceClassification, batches of 32 lines sorted by length and padded, one thread,
inference mode. Its time counts from reading the token ids, which `understudy tokenize` wrote beforehand, to the last
logits; starting Python, imports and loading the model are not counted. All of that favours PyTorch. Both sides run on
one core by turns; the ratio is the median of the pairs'. Packages go into Benchmarks/venv unless --python is given.
"""
import argparse
import json
import pathlib
import sys
import time

import side_by_side

PACKAGES = ["numpy", "safetensors", "torch", "transformers"]


def worker(teacher, ids_path, batch, precision):
    """PyTorch's side, in a process of its own; prints seconds and the label of every line."""
    import torch
    import transformers

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    model = transformers.BertForSequenceClassification.from_pretrained(teacher, dtype=getattr(torch, precision))
    model.eval()
    start = time.perf_counter()
    with open(ids_path, "rb") as file:
        lines = [json.loads(line) for line in file]
    order = sorted(range(len(lines)), key=lambda index: len(lines[index]))
    answers = [0] * len(lines)
    with torch.inference_mode():
        for first in range(0, len(order), batch):
            chosen = order[first:first + batch]
            longest = max(len(lines[index]) for index in chosen)
            ids = torch.zeros(len(chosen), longest, dtype=torch.int64)
            mask = torch.zeros(len(chosen), longest, dtype=torch.int64)
            for row, index in enumerate(chosen):
                ids[row, :len(lines[index])] = torch.tensor(lines[index])
                mask[row, :len(lines[index])] = 1
            for row, answer in enumerate(model(input_ids=ids, attention_mask=mask).logits.argmax(1).tolist()):
                answers[chosen[row]] = answer
    seconds = time.perf_counter() - start
    labels = model.config.id2label
    print(json.dumps({"seconds": seconds, "answers": [labels[answer] for answer in answers],
                      "version": f"PyTorch {torch.__version__}, Transformers {transformers.__version__}"}))


def main():
    if sys.argv[1:2] == ["--worker"]:
        return worker(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", required=True, type=pathlib.Path)
    parser.add_argument("--student", type=pathlib.Path, help="a student with the same labels (default: the embedded)")
    parser.add_argument("--batch", type=int, default=32, help="lines of PyTorch's batch (default: %(default)s)")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32",
                        help="PyTorch's; must be what understudy uses (default: %(default)s)")
    side_by_side.add_arguments(parser, count=2000)
    arguments = parser.parse_args()
    python = side_by_side.interpreter(arguments.python, PACKAGES)
    work = side_by_side.work_directory()
    lines = side_by_side.read_lines(arguments.data, arguments.count)
    lines_path = work / "teacher-lines.txt"
    lines_path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    ids = side_by_side.token_ids(arguments.understudy, arguments.teacher, lines_path, arguments.cpu,
                                 work / "teacher-ids.jsonl")
    results = {}

    def ours():
        student = ["--student", str(arguments.student)] if arguments.student else []
        command = ["classify", *student, "--teacher", str(arguments.teacher), "--defer-below", "1", "--threads", "1"]
        seconds, results["ours"] = side_by_side.understudy(arguments.understudy, command, lines_path, arguments.cpu)
        return seconds

    def theirs():
        command = [python, __file__, "--worker", str(arguments.teacher), str(ids), str(arguments.batch),
                   arguments.precision]
        _, output = side_by_side.pinned(command, arguments.cpu)
        results["theirs"] = json.loads(output)
        return results["theirs"]["seconds"]

    side_by_side.compare(ours, theirs, len(lines), arguments.runs, "PyTorch")
    share = side_by_side.agreement(side_by_side.labels_of(results["ours"]), results["theirs"]["answers"])
    print(f"same label on {100 * share:.2f} % of {len(lines):,} lines; {results['theirs']['version']}, "
          f"{arguments.precision}, batch {arguments.batch}, one thread")


if __name__ == "__main__":
    main()
