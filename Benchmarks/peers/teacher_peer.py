"""Other implementations of a BERT teacher: teacher_peer.py MODEL IDS BATCH THREADS KIND WORK.

KIND: torch-f32, torch-bf16, ort-f32, ort-i8 (dynamic), openvino (its own choice of precision). Batches are sorted by
length and padded. Reading, loading and converting are not counted."""
import json
import os
import sys
import time

import numpy

model, ids, batch, threads, kind, work = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:7]
lines = [[int(number) for number in line.split()] for line in open(ids)]
order = sorted(range(len(lines)), key=lambda index: len(lines[index]))
batches = []
for first in range(0, len(order), batch):
    chosen = order[first:first + batch]
    longest = max(len(lines[index]) for index in chosen)
    padded = numpy.zeros((len(chosen), longest), numpy.int64)
    mask = numpy.zeros((len(chosen), longest), numpy.int64)
    for row, index in enumerate(chosen):
        padded[row, :len(lines[index])] = lines[index]
        mask[row, :len(lines[index])] = 1
    batches.append((chosen, padded, mask))


def torch_model(dtype="float32"):
    import torch
    import transformers
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(threads)
    loaded = transformers.BertForSequenceClassification.from_pretrained(model, dtype=getattr(torch, dtype))
    return loaded.eval()


def exported():
    path = os.path.join(work, os.path.basename(model) + ".onnx")
    if not os.path.exists(path):
        import torch
        loaded = torch_model()
        loaded.config._attn_implementation = "eager"
        torch.onnx.export(
            loaded, (torch.ones(2, 8, dtype=torch.int64), torch.ones(2, 8, dtype=torch.int64)), path,
            input_names=["input_ids", "attention_mask"], output_names=["logits"], opset_version=17, dynamo=False,
            dynamic_axes={"input_ids": {0: "b", 1: "t"}, "attention_mask": {0: "b", 1: "t"}, "logits": {0: "b"}})
    return path


if kind.startswith("torch"):
    import torch
    loaded = torch_model("bfloat16" if kind.endswith("bf16") else "float32")
    version = f"PyTorch {torch.__version__}"

    def call(padded, mask):
        with torch.inference_mode():
            out = loaded(input_ids=torch.from_numpy(padded), attention_mask=torch.from_numpy(mask))
            return out.logits.float().numpy()
elif kind.startswith("ort"):
    import onnxruntime
    path = exported()
    if kind == "ort-i8":
        small = path.replace(".onnx", "-i8.onnx")
        if not os.path.exists(small):
            from onnxruntime.quantization import QuantType, quantize_dynamic
            quantize_dynamic(path, small, weight_type=QuantType.QInt8, per_channel=True)
        path = small
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    version = f"ONNX Runtime {onnxruntime.__version__}"

    def call(padded, mask):
        return session.run(None, {"input_ids": padded, "attention_mask": mask})[0]
else:
    import openvino
    core = openvino.Core()
    hint = "LATENCY"
    compiled = core.compile_model(core.read_model(exported()), "CPU",
                                  {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": hint})
    request = compiled.create_infer_request()
    version = f"OpenVINO {openvino.__version__.split('-')[0]}"

    def call(padded, mask):
        return request.infer({"input_ids": padded, "attention_mask": mask})[0]

for _, padded, mask in batches[:2]:
    call(padded, mask)
answers = [0] * len(lines)
times = []
for chosen, padded, mask in batches:
    start = time.perf_counter()
    logits = call(padded, mask)
    times.append(time.perf_counter() - start)
    for index, label in zip(chosen, logits.argmax(1).tolist()):
        answers[index] = label
print(json.dumps({"seconds": sum(times), "p50": sorted(times)[len(times) // 2], "answers": answers,
                  "version": version}))
