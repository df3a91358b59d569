"""A pipe as one would write it with ONNX Runtime and tokenizers: ort_pipe.py MODEL GRAPH LABELS.

Reads lines from standard input and writes JSON Lines like `understudy classify`'s. Many lines are tokenised at once (the
tokenizers library uses all cores), sorted by length and run in batches by one session on all cores."""
import json
import os
import sys

import numpy
import onnxruntime
import tokenizers

BLOCK, BATCH = 8192, 64
model, graph, labels = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
tokenizer = tokenizers.Tokenizer.from_file(os.path.join(model, "tokenizer.json"))
tokenizer.enable_truncation(130)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = len(os.sched_getaffinity(0))
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
quote = json.encoder.encode_basestring


def answer(lines):
    ids = [encoding.ids for encoding in tokenizer.encode_batch_fast(lines)]
    order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
    out = [""] * len(lines)
    for first in range(0, len(order), BATCH):
        chosen = order[first:first + BATCH]
        lengths = numpy.array([len(ids[index]) for index in chosen], numpy.int32)
        padded = numpy.zeros((len(chosen), int(lengths.max())), numpy.int64)
        for row, index in enumerate(chosen):
            padded[row, :lengths[row]] = ids[index]
        (logits,) = session.run(None, {"ids": padded, "lengths": lengths})
        powers = numpy.exp(logits - logits.max(1, keepdims=True))
        best = logits.argmax(1)
        shares = powers.max(1) / powers.sum(1)
        for index, label, share in zip(chosen, best.tolist(), shares.tolist()):
            out[index] = f'{{"text":{quote(lines[index])},"label":"{labels[label]}","confidence":{share:.4f}}}\n'
    sys.stdout.write("".join(out))


lines = []
for line in sys.stdin:
    lines.append(line.rstrip("\n"))
    if len(lines) == BLOCK:
        answer(lines)
        lines = []
if lines:
    answer(lines)
