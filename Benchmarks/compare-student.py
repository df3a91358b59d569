#!/usr/bin/env python3
"""Compares `understudy classify` with ONNX Runtime on the same student, one core, and prints both and the ratio.

    Benchmarks/compare-student.py --student DIR --data LINES.jsonl

understudy: the whole process from start to exit, with reading, tokenising, classifying and writing JSON Lines.
ONNX Runtime: the same weights as an f32 graph (onnx-export.py) in Python, batches of 32 lines sorted by length, one
thread. Its time counts from reading the token ids, which `understudy tokenize` wrote beforehand, to the last logits,
with making the session; starting Python, imports, tokenising and writing are not counted, and a student's n-gram
shortcut is left out. All of that favours ONNX Runtime. Both sides run on one core by turns; the ratio is the median of
the pairs'. Packages go into Benchmarks/venv unless --python is given.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import time

import side_by_side

PACKAGES = ["numpy", "onnx", "onnxruntime", "safetensors", "torch"]


def worker(graph, ids_path, batch):
    """ONNX Runtime's side, in a process of its own; prints seconds and the label number of every line."""
    import numpy
    import onnxruntime

    start = time.perf_counter()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    with open(ids_path, "rb") as file:
        lines = [numpy.array(json.loads(line), numpy.int64) for line in file]
    order = sorted(range(len(lines)), key=lambda index: len(lines[index]))
    answers = numpy.zeros(len(lines), numpy.int64)
    for first in range(0, len(order), batch):
        chosen = order[first:first + batch]
        lengths = numpy.array([len(lines[index]) for index in chosen], numpy.int32)
        ids = numpy.zeros((len(chosen), int(lengths.max())), numpy.int64)
        for row, index in enumerate(chosen):
            ids[row, :lengths[row]] = lines[index]
        (logits,) = session.run(None, {"ids": ids, "lengths": lengths})
        answers[chosen] = logits.argmax(1)
    print(json.dumps({"seconds": time.perf_counter() - start, "version": onnxruntime.__version__,
                      "answers": answers.tolist()}))


def main():
    if sys.argv[1:2] == ["--worker"]:
        return worker(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--student", required=True, type=pathlib.Path)
    parser.add_argument("--batch", type=int, default=32, help="lines of ONNX Runtime's batch (default: %(default)s)")
    side_by_side.add_arguments(parser, count=20000)
    arguments = parser.parse_args()
    python = side_by_side.interpreter(arguments.python, PACKAGES)
    work = side_by_side.work_directory()
    lines = side_by_side.read_lines(arguments.data, arguments.count)
    lines_path = work / "student-lines.txt"
    lines_path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    graph = work / "student.onnx"
    subprocess.run([python, str(side_by_side.HERE / "onnx-export.py"), str(arguments.student), str(graph)], check=True)
    ids = side_by_side.token_ids(arguments.understudy, arguments.student, lines_path, arguments.cpu,
                                 work / "student-ids.jsonl")
    results = {}

    def ours():
        command = ["classify", "--student", str(arguments.student), "--no-teacher", "--threads", "1"]
        seconds, results["ours"] = side_by_side.understudy(arguments.understudy, command, lines_path, arguments.cpu)
        return seconds

    def theirs():
        command = [python, __file__, "--worker", str(graph), str(ids), str(arguments.batch)]
        _, output = side_by_side.pinned(command, arguments.cpu)
        results["theirs"] = json.loads(output)
        return results["theirs"]["seconds"]

    side_by_side.compare(ours, theirs, len(lines), arguments.runs, "ONNX Runtime")
    labels = labels_in_order(arguments.student)
    share = side_by_side.agreement(side_by_side.labels_of(results["ours"]),
                                   [labels[answer] for answer in results["theirs"]["answers"]])
    print(f"same label on {100 * share:.2f} % of {len(lines):,} lines; ONNX Runtime {results['theirs']['version']}, "
          f"f32, batch {arguments.batch}, one thread")


def labels_in_order(student):
    config = json.loads((student / "config.json").read_text(encoding="utf-8"))
    if "labels" in config:
        return config["labels"]
    return [config["id2label"][str(number)] for number in range(len(config["id2label"]))]


if __name__ == "__main__":
    main()
