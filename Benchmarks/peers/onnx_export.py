#!/usr/bin/env python3
"""Builds an understudy student as an ONNX graph.

    Benchmarks/peers/onnx_export.py STUDENT-DIR OUT.onnx

Inputs: `ids` (batch, time) int64, padded with anything, and `lengths` (batch) int32, each from 1. Output: `logits`
(batch, labels) f32. All weights become f32. The linear shortcut from hashed n-grams, if the student has one, is left
out: the graph then does less work than the student, and its logits differ. Needs numpy, onnx and safetensors.
"""
import json
import pathlib
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors import safe_open

# ONNX wants the gates as input, output, forget, cell; the student keeps PyTorch's input, forget, cell, output.
GATES = (0, 3, 1, 2)
# Poolings read the LSTM's output (time, 2, batch, H) or its last state (2, batch, H).
POOLINGS = ("last", "max", "mean")


def read_tensors(path):
    """Every tensor as f32; i8 ones times their `.scale`."""
    tensors = {}
    # PyTorch's side of safetensors, because NumPy has no bfloat16.
    with safe_open(path, framework="pt") as file:
        names = list(file.keys())
        for name in names:
            tensor = file.get_tensor(name).float()
            if f"{name}.scale" in names:
                scale = file.get_tensor(f"{name}.scale").float()
                tensor = tensor * (scale[:, None] if tensor.ndim == 2 else scale)
            tensors[name] = tensor.numpy()
    return tensors


def reordered(weight):
    size = weight.shape[0] // 4
    return numpy.concatenate([weight[gate * size:(gate + 1) * size] for gate in GATES])


def lstm_weights(tensors):
    """ONNX's W (2, 4H, E), R (2, 4H, H) and B (2, 8H); the student has one bias, so ONNX's second is zero."""
    w, r, b = [], [], []
    for direction in ("forward", "backward"):
        w.append(reordered(tensors[f"lstm.{direction}.weight_ih"]))
        r.append(reordered(tensors[f"lstm.{direction}.weight_hh"]))
        bias = reordered(tensors[f"lstm.{direction}.bias"])
        b.append(numpy.concatenate([bias, numpy.zeros_like(bias)]))
    return numpy.stack(w), numpy.stack(r), numpy.stack(b)


def pooled(kind, nodes):
    """Adds the nodes of one pooling; the name of its (batch, 2H) output."""
    out = f"pooled_{kind}"
    if kind == "last":
        # (2, batch, H) -> (batch, 2, H) -> (batch, 2H)
        nodes += [helper.make_node("Transpose", ["state"], ["state_batch"], perm=[1, 0, 2]),
                  helper.make_node("Reshape", ["state_batch", "two_h"], [out])]
    elif kind == "max":
        nodes += [helper.make_node("Where", ["valid", "steps", "lowest"], ["steps_max"]),
                  helper.make_node("ReduceMax", ["steps_max", "axis_time"], [out], keepdims=0)]
    else:
        nodes += [helper.make_node("Where", ["valid", "steps", "zero"], ["steps_mean"]),
                  helper.make_node("ReduceSum", ["steps_mean", "axis_time"], ["sum"], keepdims=0),
                  helper.make_node("Cast", ["lengths_column"], ["lengths_f32"], to=TensorProto.FLOAT),
                  helper.make_node("Div", ["sum", "lengths_f32"], [out])]
    return out


def build(directory):
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    tensors = read_tensors(directory / "model.safetensors")
    if "embedding.weight" not in tensors:
        sys.exit(f"{directory}: a student without embedding.weight (sentence vectors) has no graph here")
    poolings = config["pooling"]
    poolings = [poolings] if isinstance(poolings, str) else poolings
    unknown = [kind for kind in poolings if kind not in POOLINGS]
    if unknown:
        sys.exit(f"{directory}: the pooling {unknown[0]} is not known; known are {', '.join(POOLINGS)}")
    w, r, b = lstm_weights(tensors)
    hidden, labels = r.shape[2], tensors["classifier.weight"].shape[0]
    constants = {
        "embedding": tensors["embedding.weight"], "w": w, "r": r, "b": b,
        "dense_weight": tensors["dense.weight"], "dense_bias": tensors["dense.bias"],
        "classifier_weight": tensors["classifier.weight"], "classifier_bias": tensors["classifier.bias"],
        "lowest": numpy.float32(numpy.finfo(numpy.float32).min), "zero": numpy.float32(0),
        "axis_time": numpy.array([0]), "axis_one": numpy.array([1]), "two_h": numpy.array([-1, 2 * hidden]),
        "time_batch_2h": numpy.array([0, 0, 2 * hidden]), "start": numpy.int64(0), "step": numpy.int64(1),
        "time_column": numpy.array([-1, 1, 1]), "row_batch": numpy.array([1, -1, 1]),
        "scalar": numpy.array([], "int64"),
        "time_dimension": numpy.array([1]),
    }
    nodes = [
        # (batch, time) -> (time, batch) -> (time, batch, E): the layout that ONNX Runtime's LSTM takes without a copy.
        helper.make_node("Transpose", ["ids"], ["ids_time"], perm=[1, 0]),
        helper.make_node("Gather", ["embedding", "ids_time"], ["embedded"]),
        # Y is (time, 2, batch, H), Y_h is (2, batch, H).
        helper.make_node("LSTM", ["embedded", "w", "r", "b", "lengths"], ["y", "state"], hidden_size=hidden,
                         direction="bidirectional"),
    ]
    if any(kind != "last" for kind in poolings):
        nodes += [
            # (time, batch, 2H), and which of its steps lie inside each line: (time, batch, 1).
            helper.make_node("Transpose", ["y"], ["y_batch"], perm=[0, 2, 1, 3]),
            helper.make_node("Reshape", ["y_batch", "time_batch_2h"], ["steps"]),
            helper.make_node("Shape", ["ids"], ["ids_shape"]),
            helper.make_node("Gather", ["ids_shape", "time_dimension"], ["time"]),
            helper.make_node("Reshape", ["time", "scalar"], ["time_scalar"]),
            helper.make_node("Range", ["start", "time_scalar", "step"], ["times"]),
            helper.make_node("Reshape", ["times", "time_column"], ["times_column"]),
            helper.make_node("Cast", ["lengths"], ["lengths_i64"], to=TensorProto.INT64),
            helper.make_node("Reshape", ["lengths_i64", "row_batch"], ["lengths_row"]),
            helper.make_node("Less", ["times_column", "lengths_row"], ["valid"]),
            helper.make_node("Unsqueeze", ["lengths_i64", "axis_one"], ["lengths_column"]),
        ]
    parts = [pooled(kind, nodes) for kind in poolings]
    nodes += [
        helper.make_node("Concat", parts, ["pooled"], axis=1),
        helper.make_node("Gemm", ["pooled", "dense_weight", "dense_bias"], ["dense"], transB=1),
        helper.make_node("Relu", ["dense"], ["activated"]),
        helper.make_node("Gemm", ["activated", "classifier_weight", "classifier_bias"], ["logits"], transB=1),
    ]
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes, "understudy-bilstm",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", "time"]),
         helper.make_tensor_value_info("lengths", TensorProto.INT32, ["batch"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", labels])],
        [numpy_helper.from_array(numpy.ascontiguousarray(value), name) for name, value in constants.items()
         if name in used])
    # Versions that ONNX Runtime of 2023 (1.15) and later read.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    return model, "shortcut.weight" in tensors


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    model, has_shortcut = build(pathlib.Path(sys.argv[1]))
    onnx.save(model, sys.argv[2])
    if has_shortcut:
        print("note: the student's n-gram shortcut is not in the graph", file=sys.stderr)


if __name__ == "__main__":
    main()
