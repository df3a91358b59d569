#!/usr/bin/env python3
"""Damages every file of model directories in many ways and runs understudy on each: it must never crash.

    Tests/System/mutate-models.py BINARY MODELDIR... [--count 150] [--seed 1] [--keep DIR]

For a student: `classify --student DIR --no-teacher`; for a teacher: `classify --student S --teacher DIR
--defer-below 1` with the first student given; for both: `tokenize --model DIR`. Allowed outcomes: exit 0 (the damage
changed nothing that matters), or exit 65 or 66 with exactly one line on standard error that names the directory.
Anything else - a signal, another status, more or fewer lines, over --seconds, over --gigabytes of memory - is printed,
the damaged file is kept under --keep, and the exit status is 1. The mutants follow from the seed. Needs nothing but
Python.
"""
import argparse
import collections
import json
import pathlib
import random
import resource
import struct
import subprocess
import sys
import tempfile

# Written for this script.
LINES = "国家队昨晚在客场以三比一取胜\nThe central bank kept its rates\n新手机的电池能用两天 😀\n\n股市收盘小幅上涨，成交量放大\n".encode()
# Values that stand in for those of a JSON document.
WRONG = [None, True, -1, 0, 1, 2, 7, 65535, 65536, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, 1 << 64, -(1 << 63), 0.5,
         1e308, -1e-308, "", "x", "0", "\u0000", "名" * 300, [], [1], ["x"], {}, {"0": "x"}, [[[]]]]

# Files of a model directory that the program never reads.
NOT_READ = ("README.md", "metrics.json")
# Failures shown of each file; the others are counted.
SHOWN = 10


def walk(value, place=()):
    """Every place in a JSON document."""
    yield place
    if isinstance(value, dict):
        for key in value:
            yield from walk(value[key], place + (key,))
    elif isinstance(value, list):
        # Vocabularies are long lists: their ends and a few between are enough.
        for index in sorted({0, 1, 2, len(value) // 2, len(value) - 1} & set(range(len(value)))):
            yield from walk(value[index], place + (index,))


def change(value, place, act):
    """A copy of `value` in which `act(container, key)` changed one place."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for step in place[:-1]:
        inner = inner[step]
    act(inner, place[-1])
    return copy


def mutate_json(text, chance):
    """One change that keeps the document valid JSON: a wrong value, a lost member, a renamed key, two swapped."""
    document = json.loads(text)
    places = [place for place in walk(document) if place]
    if not places:
        return text
    place = chance.choice(places)

    def replace(inner, key):
        inner[key] = chance.choice(WRONG)

    def remove(inner, key):
        del inner[key]

    def rename(inner, key):
        if isinstance(inner, dict):
            inner[key + "_"] = inner.pop(key)
        else:
            inner.append(inner[key])

    def swap(inner, key):
        other = chance.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
        inner[key], inner[other] = inner[other], inner[key]

    def nudge(inner, key):
        if isinstance(inner[key], (int, float)):
            inner[key] += chance.choice([-1, 1])
        else:
            inner[key] = chance.choice(WRONG)

    return json.dumps(change(document, place, chance.choice([replace, remove, rename, swap, nudge])),
                      ensure_ascii=False).encode()


def mutate_bytes(data, chance):
    """One change that knows nothing of the format."""
    data = bytearray(data)
    if not data:
        return bytes([chance.randrange(256)])
    # Headers lie at the start: half of the changes go there.
    reach = len(data) if chance.random() < 0.5 else min(len(data), 2048)
    at = chance.randrange(reach)
    kind = chance.randrange(8)
    if kind == 0:
        data[at] ^= 1 << chance.randrange(8)
    elif kind == 1:
        data[at] = chance.randrange(256)
    elif kind == 2:
        del data[at:]
    elif kind == 3:
        del data[at:at + chance.choice([1, 2, 8, 64, 4096])]
    elif kind == 4:
        data[at:at] = bytes(chance.randrange(256) for _ in range(chance.choice([1, 2, 8, 64])))
    elif kind == 5:
        length = chance.choice([1, 8, 64, 4096])
        data[at:at] = data[at:at + length]
    elif kind == 6:
        length = min(chance.choice([4, 64, 4096]), len(data) - at)
        data[at:at + length] = bytes([chance.choice([0, 0x20, 0x0A, 0x7F, 0x80, 0xFF])]) * length
    else:
        data += bytes(chance.randrange(1, 64))
    return bytes(data)


def mutate_safetensors(data, chance):
    """A change that knows the format: of the length, the header's JSON, or the numbers."""
    (length,) = struct.unpack("<Q", data[:8])
    header, body = data[8:8 + length], data[8 + length:]
    kind = chance.randrange(4)
    if kind == 0:
        wrong = chance.choice([0, 1, length - 1, length + 1, len(data), len(data) - 8, 100_000_001, 1 << 62, 1 << 63,
                               (1 << 64) - 1])
        return struct.pack("<Q", wrong) + data[8:]
    if kind == 1:
        header = mutate_json(header, chance)
        return struct.pack("<Q", len(header)) + header + body
    tensors = [entry for name, entry in json.loads(header).items() if name != "__metadata__"]
    tensor = chance.choice(tensors)
    begin, end = tensor["data_offsets"]
    size = {"F32": 4, "F16": 2, "BF16": 2}.get(tensor["dtype"], 1)
    if kind == 2:
        bad = {4: [b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\x00\x00\x80\xff", b"\xff\xff\x7f\x7f"],
               2: [b"\xff\x7f", b"\x00\xfc", b"\xff\x7b"], 1: [b"\x80"]}[size]
        at = begin + size * chance.randrange(max(1, (end - begin) // size))
        return data[:8 + length] + body[:at] + chance.choice(bad) + body[at + size:]
    return data[:8 + length] + body[:begin] + bytes([chance.randrange(256)]) * (end - begin) + body[end:]


def sizes(data):
    """Every number of a configuration too small or so large that no memory holds what it asks for."""
    document = json.loads(data)
    for place in walk(document):
        value = document
        for step in place:
            value = value[step]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        for wrong in (0, 1, 1 << 16, 1 << 24):
            def replace(inner, key):
                inner[key] = wrong
            yield "size", json.dumps(change(document, place, replace), ensure_ascii=False).encode()


def mutants(path, count, chance):
    data = path.read_bytes()
    yield "emptied", b""
    yield "missing", None
    if path.name == "config.json":
        yield from sizes(data)
    for _ in range(count - 2):
        kinds = [("bytes", mutate_bytes)]
        if path.suffix == ".json":
            kinds.append(("json", mutate_json))
        if path.suffix == ".safetensors":
            kinds.append(("safetensors", mutate_safetensors))
        name, mutate = chance.choice(kinds)
        yield name, mutate(data, chance)


def model_type(directory):
    try:
        return json.loads((directory / "config.json").read_bytes()).get("model_type")
    except (OSError, ValueError) as error:
        sys.exit(f"{directory}: this is not a model directory: {error}")


class Runner:
    def __init__(self, arguments):
        self.arguments = arguments
        self.outcomes = collections.Counter()
        self.failures = 0
        self.of_file = 0

    def run(self, directory, command, what, mutant):
        def limit():
            size = int(self.arguments.gigabytes * (1 << 30))
            resource.setrlimit(resource.RLIMIT_AS, (size, size))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        try:
            done = subprocess.run([self.arguments.binary, *command], input=LINES, capture_output=True,
                                  timeout=self.arguments.seconds, preexec_fn=limit)
        except subprocess.TimeoutExpired:
            return self.fail(directory, command, what, mutant, f"took over {self.arguments.seconds} s", b"")
        self.outcomes[done.returncode] += 1
        lines = done.stderr.splitlines()
        if done.returncode == 0:
            return
        if done.returncode not in (65, 66):
            how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit {done.returncode}"
            self.fail(directory, command, what, mutant, how, done.stderr)
        elif len(lines) != 1:
            self.fail(directory, command, what, mutant, f"{len(lines)} lines on standard error", done.stderr)
        elif str(directory).encode() not in lines[0]:
            self.fail(directory, command, what, mutant, "the sentence doesn't name the file", done.stderr)

    def fail(self, directory, command, what, mutant, how, stderr):
        self.failures += 1
        self.of_file += 1
        kept = ""
        if self.arguments.keep and mutant is not None:
            self.arguments.keep.mkdir(parents=True, exist_ok=True)
            target = self.arguments.keep / f"{self.failures:04}-{what.split()[0]}"
            target.write_bytes(mutant)
            kept = f" (kept: {target})"
        if self.of_file > SHOWN:
            return
        print(f"FAILED {what}: {command[0]}: {how}{kept}")
        for line in stderr.decode(errors="replace").splitlines()[:5]:
            print(f"    {line[:300]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("models", nargs="+", type=pathlib.Path, metavar="MODELDIR")
    parser.add_argument("--count", type=int, default=150, help="mutants of each file (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60, help="time limit of a run (default: %(default)s)")
    parser.add_argument("--gigabytes", type=float, default=4, help="memory limit of a run (default: %(default)s)")
    parser.add_argument("--keep", type=pathlib.Path, help="where damaged files that failed are kept")
    arguments = parser.parse_args()
    students = [model.resolve() for model in arguments.models if model_type(model) == "understudy-bilstm"]
    if not students:
        parser.error("one of the models must be a student: a teacher answers beside one")
    runner = Runner(arguments)
    memory = pathlib.Path("/dev/shm")
    for model in arguments.models:
        is_student = model_type(model) == "understudy-bilstm"
        names = sorted(path.name for path in model.iterdir() if path.is_file() and path.name not in NOT_READ)
        for name in names:
            chance = random.Random(f"{arguments.seed} {model.name} {name}")
            runner.of_file = 0
            with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as scratch:
                directory = pathlib.Path(scratch) / "model"
                directory.mkdir()
                for other in names:
                    if other != name:
                        (directory / other).symlink_to((model / other).resolve())
                for number, (kind, mutant) in enumerate(mutants(model / name, arguments.count, chance)):
                    damaged = directory / name
                    damaged.unlink(missing_ok=True)
                    if mutant is not None:
                        damaged.write_bytes(mutant)
                    what = f"{name} mutant {number} ({kind})"
                    if is_student:
                        runner.run(directory, ["classify", "--student", str(directory), "--no-teacher"], what, mutant)
                    else:
                        runner.run(directory, ["classify", "--student", str(students[0]), "--teacher", str(directory),
                                               "--defer-below", "1"], what, mutant)
                    runner.run(directory, ["tokenize", "--model", str(directory)], what, mutant)
            print(f"{model.name}/{name}: {number + 1} mutants, {runner.of_file} failures", flush=True)
    statuses = ", ".join(f"{count} × {status}" for status, count in sorted(runner.outcomes.items()))
    print(f"exit statuses: {statuses}; failures: {runner.failures}")
    return 1 if runner.failures else 0


if __name__ == "__main__":
    sys.exit(main())
