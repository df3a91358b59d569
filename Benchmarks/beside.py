#!/usr/bin/env python3
"""Measures a re-distillation beside a loaded daemon: its time, processor time and peak memory, and what the daemon's
latency does meanwhile.

    Benchmarks/beside.py BINARY STATE TRAIN HOLDOUT [--teacher DIR] [--rate 2000] [--threads 1]

STATE is a state directory whose log a daemon has filled, such as the one that scripts/prove-learning.py leaves; it is
copied. Lines go through a FIFO into the daemon and through a FIFO out of it, each with the time of its sending.
"""
import argparse
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("binary")
parser.add_argument("state")
parser.add_argument("train")
parser.add_argument("holdout")
parser.add_argument("--teacher", help="the bundled one without it")
parser.add_argument("--rate", type=float, default=2000, metavar="LINES_PER_SECOND")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--seconds", type=float, default=15, help="before and after the run")
parser.add_argument("--deferred", type=float, default=0, help="share of lines that the teacher is asked about")
arguments = parser.parse_args()

here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
teacher = os.path.abspath(arguments.teacher or f"{here}/share/models/teacher")
folder = tempfile.mkdtemp(prefix="understudy-beside.")
shutil.copytree(arguments.state, f"{folder}/state", symlinks=True)
# The runs before have had the rows; for this measurement they are new.
import sqlite3  # noqa: E402
with sqlite3.connect(f"{folder}/state/state.sqlite") as state:
    state.execute("DELETE FROM run")
current = os.path.realpath(f"{folder}/state/students/current")
texts = [line.rstrip("\n").split("\t")[1] for line in open(f"{here}/share/sample/headlines.tsv", encoding="utf-8")]
chance = random.Random(0)
cascade = {"budget_share": arguments.deferred} if arguments.deferred else {"threshold": 0, "audit_share": 0}
with open(f"{folder}/understudy.yaml", "w", encoding="utf-8") as file:
    json.dump({
        "models": {"student": current, "teacher": teacher}, "cascade": cascade,
        "sources": [{"name": "wire", "kind": "fifo", "path": f"{folder}/wire"}],
        "sinks": [{"name": "out", "kind": "fifo", "path": f"{folder}/out"}],
        "state": {"directory": f"{folder}/state"},
        "redistill": {"train": os.path.abspath(arguments.train), "holdout": os.path.abspath(arguments.holdout),
                      "minimum_new_rows": 1, "threads": arguments.threads},
    }, file)
os.mkfifo(f"{folder}/out")
daemon = subprocess.Popen([arguments.binary, "run", "--config", f"{folder}/understudy.yaml"], stderr=subprocess.DEVNULL)
while not os.path.exists(f"{folder}/wire"):
    time.sleep(0.05)
latencies, phase, stop = {}, "warm", threading.Event()


def send():
    wire = open(f"{folder}/wire", "wb", buffering=0)
    begun, number = time.monotonic(), 0
    while not stop.is_set():
        due = begun + number / arguments.rate
        delay = due - time.monotonic()
        if delay > 0:
            time.sleep(delay)
        # In small groups, as a feed's lines come.
        group = max(1, int(arguments.rate / 200))
        try:
            wire.write("".join(
                f"{time.monotonic_ns()} {chance.choice(texts)}\n" for _ in range(group)).encode())
        except BrokenPipeError:
            return  # the daemon has ended
        number += group


def receive():
    with open(f"{folder}/out", "rb") as out:
        for line in out:
            now = time.monotonic_ns()
            start = line.index(b'"text":"') + 8
            sent = int(line[start:line.index(b" ", start)])
            latencies.setdefault(phase, []).append((now - sent) / 1e6)


for work in (receive, send):
    threading.Thread(target=work, daemon=True).start()
time.sleep(3)
phase = "before"
time.sleep(arguments.seconds)
phase = "during"
begun = time.monotonic()
run = subprocess.Popen(
    ["nice", "-n", "19", arguments.binary, "redistill", "--config", f"{folder}/understudy.yaml", "--dry-run"],
    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
said = run.stdout.read().splitlines()
_, status, usage = os.wait4(run.pid, 0)
seconds = time.monotonic() - begun
phase = "after"
time.sleep(arguments.seconds)
stop.set()
daemon.send_signal(signal.SIGTERM)
daemon.wait()
print("\n".join(line for line in said if line.startswith(("run ", "nothing"))))
print(f"run: {seconds:.1f} s, {usage.ru_utime + usage.ru_stime:.1f} s of processor, peak {usage.ru_maxrss / 1024:.0f} MiB")
for name in ("before", "during", "after"):
    found = sorted(latencies.get(name, [0]))
    print(f"{name:7} {len(found):8,} lines  p50 {statistics.median(found):6.2f} ms  "
          f"p99 {found[int(len(found) * 0.99) - 1]:7.2f} ms  max {found[-1]:7.1f} ms")
shutil.rmtree(folder)
