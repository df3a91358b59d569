#!/usr/bin/env python3
"""Kills the daemon again and again while it reads a watched directory, and counts: nothing missing, nothing twice.

    Tests/System/test_kill.py BINARY [--files 200] [--lines 5000] [--kills 100] [--seed 0] [--mode files|tail] [--after keep]

Every line carries a number. Files come by 'write, then rename' while the daemon runs (mode files), or grow (mode tail).
At random moments the daemon gets SIGKILL and is started again. At the end every number must stand exactly once in the
file sink. With --crash-points the daemon kills itself at each of its named crash points instead.
"""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("binary")
parser.add_argument("--files", type=int, default=200)
parser.add_argument("--lines", type=int, default=5000)
parser.add_argument("--kills", type=int, default=100)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--mode", choices=["files", "tail"], default="files")
parser.add_argument("--after", choices=["keep", "move", "delete"], default="keep")
parser.add_argument("--unordered", action="store_true", help="let sure lines pass those that wait for the teacher")
parser.add_argument("--teacher", action="store_true", help="defer some lines to the bundled teacher")
parser.add_argument("--crash-points", action="store_true")
arguments = parser.parse_args()

#: Seconds that anything may take: far more than the slowest machine needs, so that only a fault exceeds them.
PATIENCE = 300
here = os.path.abspath(f"{os.path.dirname(os.path.abspath(__file__))}/../..")
texts = [line.rstrip("\n").split("\t")[1] for line in open(f"{here}/share/sample/headlines.tsv", encoding="utf-8")]
chance = random.Random(arguments.seed)
folder = tempfile.mkdtemp(prefix="understudy-kill.")
for name in ("in", "out", "state", "new"):
    os.mkdir(f"{folder}/{name}")

models = {"student": f"{here}/share/models/student"}
if arguments.teacher:
    models["teacher"] = f"{here}/share/models/teacher"
source = {"name": "drops", "kind": "directory", "path": f"{folder}/in", "mode": arguments.mode,
          "ordered": not arguments.unordered}
if arguments.mode == "files":
    source["after"] = arguments.after
    if arguments.after == "move":
        source["done_directory"] = f"{folder}/done"
settings = {
    "models": models,
    "sources": [source],
    "sinks": [{"name": "answers", "kind": "file", "path": f"{folder}/out/answers.jsonl"}],
    "state": {"directory": f"{folder}/state", "commit_interval_milliseconds": 50},
    "log": {"level": "notice"},
    "shutdown": {"drain_seconds": PATIENCE - 60},
}
if arguments.teacher:
    settings["cascade"] = {"threshold": 0.6, "audit_share": 0.01}
with open(f"{folder}/understudy.yaml", "w", encoding="utf-8") as file:
    json.dump(settings, file)  # YAML holds JSON

total = arguments.files * arguments.lines


def write_files():
    """Hands over all lines at about the speed at which they are answered."""
    writer = random.Random(arguments.seed + 1)
    number = 0
    for index in range(arguments.files):
        lines = []
        for _ in range(arguments.lines):
            lines.append(f"{number:08d} {writer.choice(texts)}{writer.randrange(1000)}\n")
            number += 1
        if arguments.mode == "files":
            with open(f"{folder}/new/{index}", "w", encoding="utf-8") as file:
                file.write("".join(lines))
            os.rename(f"{folder}/new/{index}", f"{folder}/in/{index:05d}.txt")
        else:
            log = f"{folder}/in/feed.log"
            if index % 10 == 9 and os.path.exists(log):
                os.rename(log, f"{folder}/in/feed.log.{index}")
            with open(log, "ab") as file:
                data = "".join(lines).encode()
                while data:  # pieces that end anywhere, inside characters as well
                    piece = writer.randrange(1, 40_000)
                    file.write(data[:piece])
                    file.flush()
                    data = data[piece:]
        time.sleep(writer.random() * pause)


def start(environment=None):
    return subprocess.Popen(
        [arguments.binary, "run", "--config", f"{folder}/understudy.yaml"], stderr=open(f"{folder}/log", "a"),
        env=dict(os.environ, **(environment or {})))


def answered():
    try:
        with open(f"{folder}/out/answers.jsonl", "rb") as file:
            return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))
    except FileNotFoundError:
        return 0


def wait_ready(daemon, before, seconds=PATIENCE):
    """Waits until the daemon logs behind byte `before` that it is ready, or ends, or the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and daemon.poll() is None:
        if b" ready" in open(f"{folder}/log", "rb").read()[before:]:
            return True
        time.sleep(0.02)
    return False


def logged():
    return os.path.getsize(f"{folder}/log") if os.path.exists(f"{folder}/log") else 0


points = ["created", "registered", "appending", "appended", "cut", "synchronised", "committed", "acknowledged"]
pause = 2 * 0.6 * arguments.kills / arguments.files
feeder = threading.Thread(target=write_files, daemon=True)
feeder.start()
began = time.time()
deaths = 0
while deaths < arguments.kills:
    before = logged()
    if arguments.crash_points:
        point = points[deaths % len(points)]
        daemon = start({"UNDERSTUDY_CRASH_AT": f"{point}:{chance.randrange(1, 4)}"})
        wait_ready(daemon, before)
        try:
            daemon.wait(timeout=3)
        except subprocess.TimeoutExpired:  # it wasn't reached so often
            daemon.kill()
    else:
        daemon = start()
        # Most kills come while lines are answered, however long the start takes; some during the start.
        if chance.random() < 0.8:
            wait_ready(daemon, before)
        time.sleep(chance.random())
        daemon.send_signal(signal.SIGKILL)
    status = daemon.wait()
    if status != -signal.SIGKILL:
        sys.exit(f"the daemon ended by itself with {status}: {open(f'{folder}/log').read()[-2000:]}")
    deaths += 1
before = logged()
daemon = start()
if not wait_ready(daemon, before):  # from then on SIGTERM is a request to drain
    sys.exit(f"the daemon doesn't start: {open(f'{folder}/log').read()[-2000:]}")
feeder.join()
last, still = -1, 0
while answered() < total and still < 10 * PATIENCE:
    now = answered()
    still = still + 1 if now == last else 0
    last = now
    time.sleep(0.1)
daemon.send_signal(signal.SIGTERM)
status = daemon.wait(timeout=PATIENCE)

seen = [0] * total
with open(f"{folder}/out/answers.jsonl", encoding="utf-8") as file:
    for line in file:
        number = int(json.loads(line)["text"][:8])
        seen[number] += 1
missing = sum(1 for count in seen if count == 0)
doubled = sum(1 for count in seen if count > 1)
print(f"{deaths} kills, {total} lines in {arguments.files} files, {time.time() - began:.0f} s: "
      f"{missing} missing, {doubled} duplicated, last exit {status}")
if missing or doubled or status:
    print(f"left for a look: {folder}")
    print(open(f"{folder}/log").read()[-3000:])
    sys.exit(1)
shutil.rmtree(folder)
