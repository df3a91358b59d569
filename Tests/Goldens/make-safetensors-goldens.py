#!/usr/bin/env python3
"""Writes the golden files of the file-format tests with Python's own libraries, and checks ours with them.

    Tests/Goldens/make-safetensors-goldens.py                 write Tests/*/Goldens
    Tests/Goldens/make-safetensors-goldens.py --check F...    load files that SafetensorsWriter wrote, in NumPy and PyTorch

Needs numpy, torch and safetensors. Every value follows from a formula, so the tests need no second file.
"""
import argparse
import gzip
import pathlib
import sys

import numpy
import torch
from safetensors import safe_open
from safetensors.numpy import load_file as load_numpy
from safetensors.torch import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TENSORS = ROOT / "Tests" / "TensorsTests" / "Goldens"
MODELS = ROOT / "Tests" / "ModelsTests" / "Goldens"


def ramp(rows, columns):
    """Element (r, c) is (r · columns + c − 7) / 16: exact in f16, bf16 and f32 for small matrices."""
    return (torch.arange(rows * columns, dtype=torch.float32) - 7).div(16).reshape(rows, columns)


def every_type():
    """One tensor of each type that safetensors' Python side writes; the f32, f16 and bf16 ones hold the ramp."""
    types = {
        "f64": torch.float64, "i64": torch.int64, "i32": torch.int32, "i16": torch.int16, "u8": torch.uint8,
        "bool": torch.bool, "f8_e4m3": torch.float8_e4m3fn, "f8_e5m2": torch.float8_e5m2,
    }
    tensors = {name: torch.ones(3, 2).to(kind) for name, kind in types.items()}
    tensors["f32"] = ramp(5, 3)
    tensors["f16"] = ramp(5, 3).to(torch.float16)
    tensors["bf16"] = ramp(5, 3).to(torch.bfloat16)
    tensors["i8"] = torch.tensor([[127, -127, 0], [1, -2, 3]], dtype=torch.int8)
    tensors["i8.scale"] = torch.tensor([0.5, 0.25])
    tensors["scalar"] = torch.tensor(2.5)
    tensors["empty"] = torch.zeros(0, 4)
    tensors["名字"] = torch.tensor([1.0, 2.0])
    return tensors


def every_half():
    """All 65,536 patterns as f16 and bf16, and what NumPy and PyTorch make of them in f32.

    `rounded` are f32 values on and beside every boundary that rounding has, with their f16 and bf16 roundings."""
    patterns = torch.arange(65536, dtype=torch.int32).to(torch.int16)
    halves, brains = patterns.view(torch.float16), patterns.view(torch.bfloat16)
    seeds = torch.cat([halves.float(), brains.float()])
    seeds = seeds[torch.isfinite(seeds)].view(torch.int32)[::97].to(torch.int64)
    steps = torch.tensor([-4097, -4096, -4095, -1, 0, 1, 4095, 4096, 4097, 32767, 32768, 32769])
    single = (seeds[:, None] + steps[None, :]).flatten().to(torch.int32).view(torch.float32)
    single = single[torch.isfinite(single)].contiguous()
    return {
        "single": single,
        "single.f16": torch.from_numpy(single.numpy().astype(numpy.float16)).view(torch.int16),
        "single.bf16": single.to(torch.bfloat16).view(torch.int16),
    }


def write():
    TENSORS.mkdir(parents=True, exist_ok=True)
    MODELS.mkdir(parents=True, exist_ok=True)
    save_file(every_type(), TENSORS / "every-type.safetensors", metadata={"format": "pt", "made by": "Python"})
    with numpy.errstate(over="ignore"):
        save_file(every_half(), TENSORS / "rounding.safetensors")
    lines = ["400 20"]
    for word in range(400):
        lines.append(f"w{word} " + " ".join(f"{(word * 20 + j) / 1024:.10g}" for j in range(20)))
    # A fixed time in the gzip header: the file is the same every time.
    (MODELS / "vectors.txt.gz").write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), 9, mtime=0))
    text = "Values that tests compare with, made by Tests/Goldens/make-safetensors-goldens.py.\n"
    (TENSORS / "README").write_text(text)
    for file in TENSORS.iterdir():
        file.chmod(0o644)


def check(paths):
    for path in paths:
        with safe_open(path, framework="pt") as file:
            names, metadata = sorted(file.keys()), file.metadata()
        torch_tensors = load_file(path)
        assert sorted(torch_tensors) == names
        for name in names:
            tensor = torch_tensors[name]
            print(f"{path}\t{name}\t{str(tensor.dtype).removeprefix('torch.')}\t{list(tensor.shape)}", end="\t")
            print(tensor.double().flatten().tolist()[:8])
        if all(tensor.dtype != torch.bfloat16 for tensor in torch_tensors.values()):
            assert sorted(load_numpy(path)) == names
        print(f"{path}\tmetadata\t{metadata and sorted(metadata.items())}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", nargs="+", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.check:
        check(arguments.check)
    else:
        write()


if __name__ == "__main__":
    sys.exit(main())
