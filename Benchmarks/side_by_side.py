"""What the comparison scripts share: a virtual environment, input lines, one pinned core, alternating runs."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
# Every library under Python is told to use one thread, before it is imported.
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS",
                                     "NUMEXPR_NUM_THREADS", "TOKENIZERS_PARALLELISM")}


def add_arguments(parser, count):
    parser.add_argument("--data", required=True, type=pathlib.Path,
                        help="lines to classify: JSON Lines with a text field (.jsonl), or plain text")
    parser.add_argument("--count", type=int, default=count,
                        help="lines of a run; the data are repeated or cut (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each side (default: %(default)s)")
    parser.add_argument("--cpu", type=int, default=0, help="the core that both sides run on (default: %(default)s)")
    parser.add_argument("--understudy", default=str(HERE.parent / ".build" / "release" / "understudy"),
                        help="the binary (default: %(default)s)")
    parser.add_argument("--python", help="an interpreter with the packages; default: Benchmarks/venv, made if missing")


def interpreter(given, packages):
    """An interpreter with `packages`: the one given, or that of Benchmarks/venv with them installed from PyPI."""
    if given:
        return given
    venv = HERE / "venv"
    python = venv / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    installed = subprocess.run([str(python), "-m", "pip", "list", "--format", "freeze"], check=True,
                               capture_output=True, text=True).stdout.lower()
    missing = [name for name in packages if f"\n{name.lower()}==" not in "\n" + installed]
    if missing:
        print(f"installing {', '.join(missing)} into {venv}", file=sys.stderr)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *missing], check=True)
    return str(python)


def read_lines(path, count):
    """`count` lines that are not blank, from the start of the file and again from there as often as needed."""
    with open(path, encoding="utf-8") as file:
        if path.suffix == ".jsonl":
            lines = [json.loads(line)["text"] for line in file if line.strip()]
        else:
            lines = [line.rstrip("\n") for line in file]
    lines = [" ".join(line.split()) for line in lines]
    lines = [line for line in lines if line]
    if not lines:
        sys.exit(f"{path}: the file has no lines to classify")
    return [lines[index % len(lines)] for index in range(count)]


def work_directory():
    directory = HERE / "work"
    directory.mkdir(exist_ok=True)
    return directory


def pinned(command, cpu, **options):
    """Runs a command on one core; its wall time in seconds from start to exit, and what it wrote."""
    environment = {**os.environ, **ONE_THREAD}
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, preexec_fn=lambda: os.sched_setaffinity(0, {cpu}),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nended with {done.returncode}:\n"
                 + done.stderr.decode(errors="replace")[-3000:])
    return seconds, done.stdout


def understudy(binary, arguments, lines_path, cpu):
    with open(lines_path, "rb") as lines:
        return pinned([binary, *arguments], cpu, stdin=lines)


def token_ids(binary, model, lines_path, cpu, out):
    """The ids of every line as `understudy tokenize` gives them, in a file."""
    _, output = understudy(binary, ["tokenize", "--model", str(model)], lines_path, cpu)
    out.write_bytes(output)
    return out


def labels_of(output):
    return [json.loads(line)["label"] for line in output.splitlines()]


def compare(ours, theirs, lines, runs, name):
    """Alternates the two sides, prints every pair, the medians, and the median of the pairs' ratios.

    `ours` and `theirs` give seconds; the first run of each is thrown away (files come into the page cache)."""
    ours()
    theirs()
    ratios, our_rates, their_rates = [], [], []
    print(f"{'run':>4} {'understudy lines/s':>20} {name + ' lines/s':>28} {'ratio':>7}")
    for run in range(runs):
        if run % 2 == 0:
            a, b = ours(), theirs()
        else:
            b, a = theirs(), ours()
        our_rates.append(lines / a)
        their_rates.append(lines / b)
        ratios.append(b / a)
        print(f"{run + 1:>4} {lines / a:>20,.0f} {lines / b:>28,.0f} {b / a:>7.2f}", flush=True)
    print(f"{'med.':>4} {statistics.median(our_rates):>20,.0f} {statistics.median(their_rates):>28,.0f} "
          f"{statistics.median(ratios):>7.2f}")
    return statistics.median(ratios)


def agreement(ours, theirs):
    """The share of lines on which both sides name the same label."""
    if len(ours) != len(theirs):
        sys.exit(f"understudy answered {len(ours)} lines, the other side {len(theirs)}")
    return sum(a == b for a, b in zip(ours, theirs)) / len(ours)
