"""How costs grow: with the number of lines, their length, the classes and the student's size; drawn by plots.py.

Lines and lengths run the bundled student; classes and sizes students of chance without an early exit."""
import json
import random
import shutil

from .setting import WORK, note, run, wall

# A student of chance, all tensors in f16, with the bundled one's tokenizer.
MAKE = """
import json, pathlib, shutil, sys, torch
from safetensors.torch import save_file
bundled, out, hidden, labels = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
out.mkdir(exist_ok=True)
for file in bundled.iterdir():
    if file.name.startswith(("tokenizer", "special")):
        shutil.copy(file, out)
config = json.loads((bundled / "config.json").read_text())
config.pop("early_exit", None)
config.update(version=out.name, hidden_size=hidden, labels=[f"l{number}" for number in range(labels)])
(out / "config.json").write_text(json.dumps(config))
torch.manual_seed(0)
width, dense, pooled = config["embedding_size"], config["dense_size"], 4 * hidden
shapes = {"embedding.weight": (config["vocab_size"], width), "dense.weight": (dense, pooled), "dense.bias": (dense,),
          "classifier.weight": (labels, dense), "classifier.bias": (labels,),
          "shortcut.weight": (config["shortcut_buckets"], labels)}
for direction in ("forward", "backward"):
    shapes |= {f"lstm.{direction}.weight_ih": (4 * hidden, width), f"lstm.{direction}.weight_hh": (4 * hidden, hidden),
               f"lstm.{direction}.bias": (4 * hidden,)}
save_file({name: (torch.randn(shape) * 0.1).half() for name, shape in shapes.items()}, out / "model.safetensors")
"""


def model(setting, hidden, labels):
    out = WORK / f"student-{hidden}-{labels}"
    if not (out / "model.safetensors").exists():
        run([setting.python, "-c", MAKE, setting.student, out, hidden, labels])
    return out


def of_length(setting, length, count):
    """`count` lines of `length` characters, cut from headlines joined by chance."""
    path = WORK / f"length-{length}.txt"
    if not path.exists():
        texts = setting.texts()
        chance = random.Random(length)
        with open(path, "w", encoding="utf-8") as file:
            for _ in range(count):
                line = ""
                while len(line) < length:
                    line += chance.choice(texts).replace(" ", "")
                file.write(line[:length] + "\n")
    return path


def repeated(setting, count):
    """Ten million lines are a million ten times over: nothing is kept from line to line."""
    if count <= 1_000_000:
        return setting.lines(count)
    path = WORK / f"lines-{count}.txt"
    if not path.exists():
        with open(path, "wb") as out:
            for _ in range(count // 1_000_000):
                with open(setting.lines(1_000_000), "rb") as source:
                    shutil.copyfileobj(source, out)
    return path


def rate(setting, path, student, count, cpus=(0, 1)):
    """Lines a second without the start, which is that of a file of one line."""
    command = [setting.understudy, "classify", "--no-teacher", "--student", student]
    one = WORK / "one-line.txt"
    one.write_bytes(path.read_bytes()[:4000].split(b"\n", 1)[0] + b"\n")
    start = min(wall(command, one, cpus) for _ in range(3))
    times = sorted(wall(command, path, cpus) for _ in range(3))
    return count / max(times[1] - start, 1e-9), count / times[1]


def measure(setting):
    points = {"lines": [], "length": [], "classes": [], "units": []}
    for count in (10_000, 100_000, 1_000_000, 10_000_000):
        note(f"{count:,} lines")
        points["lines"].append((count, rate(setting, repeated(setting, count), setting.student, count)[1]))
    for length in (5, 10, 20, 50, 100, 200, 500):
        count = 4_000_000 // (length + 20)
        note(f"{length} characters")
        points["length"].append((length, rate(setting, of_length(setting, length, count), setting.student, count)[0]))
    lines = setting.lines(200_000)
    for classes in (2, 5, 10, 20, 50, 100, 200, 500, 1000):
        note(f"{classes} classes")
        points["classes"].append((classes, rate(setting, lines, model(setting, 64, classes), 200_000)[0]))
    for hidden in (64, 96, 128, 192, 256, 384, 512):
        note(f"{hidden} units")
        points["units"].append((hidden, rate(setting, lines, model(setting, hidden, 5), 200_000)[0]))
    return {"rows": [], "points": points}
