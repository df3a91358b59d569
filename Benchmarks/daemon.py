#!/usr/bin/env python3
"""Measures the daemon beside the filter: throughput over a watched directory, latency through a FIFO, idle cost, memory.

    Benchmarks/daemon.py BINARY [--lines 400000] [--rounds 5] [--soak SECONDS]

Student only, the bundled one. Throughput: the same lines in files of 5,000, as bytes on the filter's standard input
and as files in a watched directory with a committed file sink; alternating runs, medians. Start-up is left out of both:
the filter's time for one line is subtracted, the daemon's clock starts when it is ready.
"""
import argparse
import json
import os
import random
import select
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("binary")
parser.add_argument("--lines", type=int, default=400_000)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--probes", type=int, default=2000)
parser.add_argument("--soak", type=float, default=0, metavar="SECONDS", help="load through the FIFO at the end")
parser.add_argument("--soak-rate", type=float, default=20_000, metavar="LINES_PER_SECOND")
arguments = parser.parse_args()

here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
student = f"{here}/share/models/student"
texts = [line.rstrip("\n").split("\t")[1] for line in open(f"{here}/share/sample/headlines.tsv", encoding="utf-8")]
chance = random.Random(0)
folder = tempfile.mkdtemp(prefix="understudy-bench.")
letters = sorted(set("".join(texts)))


def varied():
    text = list(chance.choice(texts))
    for _ in range(3):
        text[chance.randrange(len(text))] = chance.choice(letters)
    return "".join(text)


lines = [varied() for _ in range(arguments.lines)]
everything = ("\n".join(lines) + "\n").encode()


def configure(name, source, sink, **more):
    os.makedirs(f"{folder}/{name}", exist_ok=True)
    settings = {"models": {"student": student}, "sources": [source], "sinks": [sink],
                "state": {"directory": f"{folder}/{name}/state"}, **more}
    with open(f"{folder}/{name}/understudy.yaml", "w", encoding="utf-8") as file:
        json.dump(settings, file)
    return f"{folder}/{name}/understudy.yaml"


def start(config):
    daemon = subprocess.Popen([arguments.binary, "run", "--config", config], stderr=subprocess.PIPE, text=True)
    for line in daemon.stderr:
        if " ready" in line:
            break
    threading.Thread(target=daemon.stderr.read, daemon=True).start()
    return daemon


def stop(daemon):
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(timeout=60) == 0


def memory(daemon):
    with open(f"/proc/{daemon.pid}/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS"))


def ticks(daemon):
    with open(f"/proc/{daemon.pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def filter_seconds(data):
    began = time.perf_counter()
    subprocess.run([arguments.binary, "classify", "--no-teacher", "--student", student], input=data,
                   stdout=open(f"{folder}/filtered", "wb"), stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def daemon_seconds(round_):
    name = f"throughput{round_}"
    source = {"name": "drops", "kind": "directory", "path": f"{folder}/{name}/in"}
    sink = {"name": "answers", "kind": "file", "path": f"{folder}/{name}/answers.jsonl"}
    os.makedirs(f"{folder}/{name}/in")
    config = configure(name, source, sink)
    daemon = start(config)
    staged = f"{folder}/{name}/staged"
    os.makedirs(staged)
    for index in range(0, len(lines), 5000):
        with open(f"{staged}/{index:08d}.txt", "w", encoding="utf-8") as file:
            file.write("\n".join(lines[index:index + 5000]) + "\n")
    began = time.perf_counter()
    for name_ in sorted(os.listdir(staged)):
        os.rename(f"{staged}/{name_}", f"{source['path']}/{name_}")
    wanted = os.path.getsize(f"{folder}/filtered") * 0.9  # ids and names differ little in length; then count
    path = sink["path"]
    while os.path.getsize(path) < wanted:
        time.sleep(0.002)
    while True:
        with open(path, "rb") as file:
            if sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 22), b"")) == len(lines):
                break
    took = time.perf_counter() - began
    stop(daemon)
    shutil.rmtree(f"{folder}/{name}")
    return took


def round_trips(write, read):
    """Seconds from writing a line to having its answer, for lines that come one at a time to an idle program."""
    times = []
    for index in range(arguments.probes):
        line = (lines[index] + "\n").encode()
        began = time.perf_counter()
        os.write(write, line)
        answer = b""
        while not answer.endswith(b"\n"):
            select.select([read], [], [])
            answer += os.read(read, 65536)
        times.append(time.perf_counter() - began)
        time.sleep(0.002)
    return times[len(times) // 10:]


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


print(f"{arguments.lines:,} lines, {arguments.rounds} alternating rounds, medians")
single = statistics.median(filter_seconds((lines[0] + "\n").encode()) for _ in range(3))
rates = {"filter": [], "daemon": []}
for index in range(arguments.rounds):
    rates["filter"].append(len(lines) / (filter_seconds(everything) - single))
    rates["daemon"].append(len(lines) / daemon_seconds(index))
rate = {name: statistics.median(values) for name, values in rates.items()}
print(f"throughput: filter {rate['filter']:,.0f} lines/s, daemon {rate['daemon']:,.0f} lines/s, "
      f"ratio {rate['daemon'] / rate['filter']:.2f}")

program = subprocess.Popen([arguments.binary, "classify", "--no-teacher", "--student", student],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
filtered = round_trips(program.stdin.fileno(), program.stdout.fileno())
program.stdin.close()
program.wait()
config = configure("latency", {"name": "wire", "kind": "fifo", "path": f"{folder}/wire"},
                   {"name": "answers", "kind": "fifo", "path": f"{folder}/answers"})
daemon = start(config)
write = os.open(f"{folder}/wire", os.O_WRONLY)
read = os.open(f"{folder}/answers", os.O_RDONLY | os.O_NONBLOCK)  # without waiting for the daemon to open it
os.set_blocking(read, True)
through = round_trips(write, read)
for share in (0.5, 0.99):
    one, two = percentile(filtered, share) * 1e3, percentile(through, share) * 1e3
    print(f"one line at a time, p{share * 100:.0f}: filter {one:.2f} ms, FIFO to FIFO {two:.2f} ms, "
          f"difference {two - one:+.2f} ms")
time.sleep(2)
before = ticks(daemon)
time.sleep(10)
print(f"idle: {ticks(daemon) - before} ticks of CPU in 10 s, {memory(daemon):.0f} MiB resident")

if arguments.soak:
    def drain():
        while os.read(read, 1 << 20):
            pass
    threading.Thread(target=drain, daemon=True).start()
    began = time.time()
    sizes, sent, next_look = [], 0, began
    while time.time() < began + arguments.soak:
        part = ("\n".join(varied() for _ in range(1000)) + "\n").encode()
        while part:
            part = part[os.write(write, part):]
        sent += 1000
        time.sleep(max(0, began + sent / arguments.soak_rate - time.time()))
        if time.time() >= next_look:
            sizes.append(memory(daemon))
            next_look += max(1, arguments.soak / 20)
            print(f"  {time.time() - began:.0f} s, {sent:,} lines, {sizes[-1]:.1f} MiB", flush=True)
    print(f"load for {arguments.soak:.0f} s: resident first {sizes[0]:.0f}, middle {sizes[len(sizes) // 2]:.0f}, "
          f"last {sizes[-1]:.0f}, most {max(sizes):.0f} MiB")
os.close(write)
stop(daemon)
shutil.rmtree(folder)
