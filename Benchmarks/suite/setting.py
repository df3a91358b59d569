"""What all rows share: folders, the virtual environment with the peers, the lines, alternating runs."""
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent
WORK = HERE / "work"
PEERS = HERE / "peers"
PACKAGES = ["numpy", "onnx", "onnxruntime", "openvino", "nncf", "safetensors", "tokenizers", "torch", "transformers"]
# Thread counts that libraries under Python read before anything else.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class Setting:
    def __init__(self, data, runs, python=None):
        self.data = pathlib.Path(data)
        self.runs = runs
        self.understudy = str(ROOT / ".build" / "release" / "understudy")
        self.library = str(ROOT / ".build" / "release" / "benchmark")
        self.student = ROOT / "share" / "models" / "student"
        self.teacher = ROOT / "share" / "models" / "teacher"
        WORK.mkdir(exist_ok=True)
        self.python = python or self._venv()

    def _venv(self):
        venv = HERE / "venv"
        python = venv / "bin" / "python"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        listed = subprocess.run([str(python), "-m", "pip", "list", "--format", "freeze"], check=True,
                                capture_output=True, text=True).stdout.lower()
        missing = [name for name in PACKAGES if f"\n{name}==" not in "\n" + listed]
        if missing:
            note(f"installing {', '.join(missing)}")
            subprocess.run([str(python), "-m", "pip", "install", "--quiet", *missing], check=True)
        return str(python)

    def records(self, name):
        with open(self.data / name, encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.strip()]

    def texts(self):
        """Every distinct headline of the data, on one line each."""
        texts = set()
        for path in sorted(self.data.glob("**/*.jsonl")):
            with open(path, encoding="utf-8") as file:
                texts.update(" ".join(json.loads(line)["text"].split()) for line in file if line.strip())
        return sorted(text for text in texts if text)

    def lines(self, count, name="lines"):
        """A file of `count` lines, each once: headlines of which three characters are changed for others of the data."""
        path = WORK / f"{name}-{count}.txt"
        if path.exists():
            return path
        texts = self.texts()
        letters = "".join(texts)
        chance = random.Random(5)
        seen = set()
        with open(path, "w", encoding="utf-8") as file:
            while len(seen) < count:
                text = list(chance.choice(texts))
                for _ in range(3):
                    text[chance.randrange(len(text))] = letters[chance.randrange(len(letters))]
                line = " ".join("".join(text).split())
                if line and line not in seen:
                    seen.add(line)
                    file.write(line + "\n")
        return path

    def ids(self, model, lines, count=None):
        """A file with the ids of the lines as a model's tokenizer gives them, and another as JSON Lines."""
        plain = WORK / f"{pathlib.Path(model).name}-{lines.stem}-{count or 'all'}.ids"
        if not plain.exists() or plain.stat().st_mtime < (pathlib.Path(model) / "config.json").stat().st_mtime:
            text = lines.read_bytes().splitlines(keepends=True)[:count]
            done = run([self.understudy, "tokenize", "--model", str(model)], input=b"".join(text))
            rows = [json.loads(row) for row in done.stdout.splitlines()]
            plain.write_text("".join(" ".join(map(str, row)) + "\n" for row in rows), encoding="ascii")
        return plain

    def peer(self, script, *arguments, cpus=(0,)):
        """Runs a script of peers/ on some cores; what it prints, a JSON object."""
        done = run([self.python, str(PEERS / script), *map(str, arguments)], cpus=cpus)
        return json.loads(done.stdout.splitlines()[-1])

    def timed_library(self, *arguments, cpus=(0,)):
        return json.loads(run([self.library, *map(str, arguments)], cpus=cpus).stdout)

    def accuracy(self, arguments, environment=None, data="tnews5/test-unseen.jsonl"):
        """(accuracy, ECE) in per cent of a model on the unseen test lines, as `evaluate` prints them."""
        done = run([self.understudy, "evaluate", "--data", str(self.data / data), *arguments], environment=environment)
        found = {}
        for line in done.stdout.decode().splitlines():
            for key, name in (("accuracy  ", "accuracy"), ("ECE, own temperature", "ece")):
                if line.startswith(key) and name not in found:
                    found[name] = float(line[len(key):].split("%")[0].split()[0])
        return found["accuracy"], found["ece"]


def note(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def run(command, cpus=None, environment=None, check=True, **options):
    """Runs a command on some cores with as many threads; its output is kept."""
    count = str(len(cpus) if cpus else os.cpu_count())
    variables = {**os.environ, **{name: count for name in THREAD_VARIABLES}, **(environment or {})}
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    if "input" not in options and "stdin" not in options:
        options["stdin"] = subprocess.DEVNULL
    done = subprocess.run([str(part) for part in command], env=variables,
                          preexec_fn=(lambda: os.sched_setaffinity(0, set(cpus))) if cpus else None, **options)
    if check and done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nended with {done.returncode}:\n"
                 + (done.stderr or b"").decode(errors="replace")[-3000:])
    return done


def wall(command, source, cpus=None, environment=None):
    """Seconds of a whole process that reads the file `source` and whose output goes to a file."""
    with open(source, "rb") as lines, open(WORK / "out", "wb") as out:
        start = time.perf_counter()
        run(command, cpus=cpus, environment=environment, stdin=lines, stdout=out)
        return time.perf_counter() - start


def alternate(sides, runs):
    """Calls every side once for nothing, then all of them by turns; the median of each and of the ratios to the first.

    A side gives seconds or another number for which less is better."""
    for side in sides.values():
        side()
    values = {name: [] for name in sides}
    names = list(sides)
    for turn in range(runs):
        for name in names if turn % 2 == 0 else reversed(names):
            values[name].append(sides[name]())
    first = values[names[0]]
    return {name: {"median": statistics.median(found),
                   "ratio": statistics.median(other / own for own, other in zip(first, found))}
            for name, found in values.items()}


def agreement(ours, theirs):
    """The share of lines, in per cent, on which both sides name the same label."""
    if len(ours) != len(theirs):
        sys.exit(f"one side answered {len(ours)} lines, the other {len(theirs)}")
    return 100 * sum(a == b for a, b in zip(ours, theirs)) / len(ours)
