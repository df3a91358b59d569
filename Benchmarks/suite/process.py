"""Whole processes: against fastText and against a pipe in Python, from one core to two, start, memory."""
import json
import pathlib
import re
import subprocess
import tarfile
import threading
import time

from .setting import PEERS, WORK, alternate, note, run, wall
from .student import graph

LABEL = re.compile(r"__label__(\S+)")


def fasttext(setting):
    """The command line program, built from the source package on PyPI."""
    program = WORK / "fasttext"
    if program.exists():
        return program
    note("building fastText")
    run([setting.python, "-m", "pip", "install", "--quiet", "pybind11", "setuptools", "wheel"])
    run([setting.python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation", "--no-binary", ":all:",
         "-d", WORK, "fasttext==0.9.3"])
    with tarfile.open(next(WORK.glob("fasttext-*.tar.gz"))) as archive:
        archive.extractall(WORK, filter="data")
    source = next(path for path in WORK.glob("fasttext-*") if path.is_dir()) / "src"
    # The release forgets to include what its integer types come from.
    run(["c++", "-O3", "-march=native", "-funroll-loops", "-std=c++17", "-pthread", "-include", "cstdint",
         *source.glob("*.cc"), "-o", program])
    return program


def spaced(text):
    """Characters apart, so that word n-grams of order 2 are character bigrams."""
    return " ".join("".join(text.lower().split()))


def train_fasttext(setting, program, dimensions):
    model = WORK / f"fasttext-{dimensions}"
    train, test = WORK / "fasttext-train.txt", WORK / "fasttext-test.txt"
    for path, name in ((train, "tnews5/train.jsonl"), (test, "tnews5/test-unseen.jsonl")):
        path.write_text("".join(f"__label__{row['label']} {spaced(row['text'])}\n" for row in setting.records(name)),
                        encoding="utf-8")
    # Rate and epochs by the accuracy on a tenth of the training lines.
    rows = train.read_text(encoding="utf-8").splitlines(keepends=True)
    part, kept = WORK / "fasttext-part.txt", WORK / "fasttext-kept.txt"
    kept.write_text("".join(rows[::10]), encoding="utf-8")
    part.write_text("".join(row for place, row in enumerate(rows) if place % 10), encoding="utf-8")

    def accuracy(model, path):
        out = run([program, "test", f"{model}.bin", path]).stdout.decode()
        return float(re.search(r"P@1\s+([\d.]+)", out).group(1))

    def train_with(source, out, rate, epochs):
        run([program, "supervised", "-input", source, "-output", out, "-dim", dimensions, "-wordNgrams", 2, "-lr", rate,
             "-epoch", epochs, "-thread", 1])

    best = (0, 0.3, 10)
    for rate in (0.1, 0.3, 0.5):
        for epochs in (5, 10, 25):
            train_with(part, WORK / "fasttext-try", rate, epochs)
            best = max(best, (accuracy(WORK / "fasttext-try", kept), rate, epochs))
    train_with(train, model, *best[1:])
    # P@1 is printed with few digits: counted here.
    lines = test.read_text(encoding="utf-8").splitlines()
    truth = [LABEL.match(line).group(1) for line in lines]
    said = run([program, "predict", f"{model}.bin", test]).stdout.decode().splitlines()
    right = sum(LABEL.match(line).group(1) == label for line, label in zip(said, truth))
    return f"{model}.bin", 100 * right / len(truth)


def classify(setting, *more):
    return [setting.understudy, "classify", "--no-teacher", *more]


def peak_and_flatness(setting, count):
    """(peak, growth from a tenth of the lines to their end) of the resident memory in MiB."""
    lines = setting.lines(1_000_000)
    process = subprocess.Popen(list(map(str, classify(setting))), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    block = lines.read_bytes()
    samples = []

    def feed():
        for _ in range(count // 1_000_000):
            process.stdin.write(block)
        process.stdin.close()

    feeder = threading.Thread(target=feed)
    feeder.start()
    start = time.perf_counter()
    while feeder.is_alive():
        text = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        samples.append(int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) / 1024)
        time.sleep(0.2)
    process.wait()
    return max(samples), samples[-1] - samples[len(samples) // 10], time.perf_counter() - start


def measure(setting):
    rows = []
    lines = setting.lines(200_000)
    both = (0, 1)
    accuracy = setting.accuracy(["--student", setting.student])[0]

    program = fasttext(setting)
    spaced_lines = WORK / "fasttext-lines.txt"
    with open(lines, encoding="utf-8") as source, open(spaced_lines, "w", encoding="utf-8") as out:
        out.writelines(spaced(line) + "\n" for line in source)
    for dimensions in (10, 100):
        note(f"fastText of {dimensions} dimensions")
        model, theirs = train_fasttext(setting, program, dimensions)
        found = alternate({"ours": lambda: wall(classify(setting), lines, both),
                           # By the file's name: through standard input it reads at two thirds of that.
                           "fasttext": lambda: wall([program, "predict", model, spaced_lines], spaced_lines, both)},
                          setting.runs)
        ratio = found["fasttext"]["ratio"]
        rows.append({
            "work": "`classify --no-teacher`, whole process, 2 cores, 200,000 lines",
            "ours": 200_000 / found["ours"]["median"], "unit": "lines/s",
            "against": f"fastText 0.9.3, {dimensions} dimensions, character bigrams, its program",
            "theirs": 200_000 / found["fasttext"]["median"], "ratio": ratio, "reach": "≥ 1",
            "met": ratio >= 1 and accuracy - theirs >= 2.5,
            "note": f"accuracy {accuracy:.2f} against {theirs:.2f} %"})

    note("pipe in Python")
    config = json.loads((setting.student / "config.json").read_text(encoding="utf-8"))
    pipe = [setting.python, PEERS / "ort_pipe.py", setting.student, graph(setting), ",".join(config["labels"])]
    found = alternate({"ours": lambda: wall(classify(setting), lines, both),
                       "pipe": lambda: wall(pipe, lines, both)}, setting.runs)
    rows.append({"work": "the same", "ours": 200_000 / found["ours"]["median"], "unit": "lines/s",
                 "against": "pipe in Python: ONNX Runtime and tokenizers", "theirs": 200_000 / found["pipe"]["median"],
                 "ratio": found["pipe"]["ratio"], "reach": "≥ 8", "met": found["pipe"]["ratio"] >= 8, "note": ""})

    note("one core and two")
    million = setting.lines(1_000_000)
    found = alternate({"two": lambda: wall(classify(setting), million, both),
                       "one": lambda: wall(classify(setting), million, (0,))}, setting.runs)
    rows.append({"work": "`classify`, 1,000,000 lines, 1 → 2 cores", "ours": 1e6 / found["two"]["median"],
                 "unit": "lines/s", "against": "itself on one core", "theirs": 1e6 / found["one"]["median"],
                 "ratio": found["one"]["ratio"], "reach": "≥ 1.85", "met": found["one"]["ratio"] >= 1.85, "note": ""})

    note("start")
    one = WORK / "one-line.txt"
    one.write_bytes(lines.read_bytes().split(b"\n", 1)[0] + b"\n")
    started = sorted(wall([setting.understudy, "classify"], one, both) for _ in range(21))[10]
    rows.append({"work": "start to the first answer, `classify` with both bundled models", "ours": started * 1e3,
                 "unit": "ms", "against": "–", "theirs": None, "ratio": None, "reach": "≤ 150 ms",
                 "met": started <= 0.15, "note": "the whole process, to its end"})

    note("memory over 10 million lines")
    peak, growth, seconds = peak_and_flatness(setting, 10_000_000)
    rows.append({"work": "resident memory, `classify --no-teacher`, 10,000,000 lines", "ours": peak, "unit": "MiB",
                 "against": "–", "theirs": None, "ratio": None, "reach": "≤ 120 MiB, flat",
                 "met": peak <= 120 and growth <= 4, "note": f"{growth:+.1f} MiB over the last nine tenths"})
    return {"rows": rows}
