"""ONNX Runtime on a student's graph: ort_student.py GRAPH IDS BATCH THREADS. Batches are sorted by length; with a batch
of 1 it prints the median latency. Reading the ids and making the session are not counted."""
import json
import sys
import time

import numpy
import onnxruntime

graph, ids, batch, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
options.inter_op_num_threads = 1
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
lines = [numpy.array(line.split(), numpy.int64) for line in open(ids)]
order = sorted(range(len(lines)), key=lambda index: len(lines[index]))
batches = []
for first in range(0, len(order), batch):
    chosen = order[first:first + batch]
    lengths = numpy.array([len(lines[index]) for index in chosen], numpy.int32)
    padded = numpy.zeros((len(chosen), int(lengths.max())), numpy.int64)
    for row, index in enumerate(chosen):
        padded[row, :lengths[row]] = lines[index]
    batches.append((chosen, {"ids": padded, "lengths": lengths}))
answers = numpy.zeros(len(lines), numpy.int64)
for _, feed in batches[:20]:
    session.run(None, feed)
times = []
for chosen, feed in batches:
    start = time.perf_counter()
    (logits,) = session.run(None, feed)
    times.append(time.perf_counter() - start)
    answers[chosen] = logits.argmax(1)
print(json.dumps({"seconds": sum(times), "p50": sorted(times)[len(times) // 2], "answers": answers.tolist(),
                  "version": f"ONNX Runtime {onnxruntime.__version__}"}))
