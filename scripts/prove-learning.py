#!/usr/bin/env python3
"""Shows that the loop makes the student better by itself: a drifting stream, the real daemon, the real redistill.

    scripts/prove-learning.py --data FOLDER [--teacher DIR] [--base DIR] [--rounds 5] [--poison] [--out work/proof]

FOLDER holds train.jsonl and test-unseen.jsonl with labels, and transfer.jsonl without (docs/performance.md). Of the
training lines 1,500 are labelled to begin with, 1,500 are the holdout, the rest becomes the stream: its labels order it,
so that its mix drifts from round to round, and are then thrown away. Student 0 is distilled on the 1,500 lines alone.
Then, round by round, the daemon answers a part of the stream with a fixed target error, asking the teacher about the
lines that it is unsure of; redistill learns from what the teacher said; the running daemon takes up what is promoted.

--teacher is a model directory. With --base instead (a BERT that isn't fine-tuned) the teacher is fine-tuned on the same
1,500 lines, so that nothing anywhere has seen another label.

--poison shows the other side: a teacher that confuses the labels, and people's labels that are shuffled. Nothing may be
promoted then. The test lines are looked at by this script alone. Needs Python's standard library only.
"""
import argparse
import json
import math
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", required=True, help="the folder with the lines")
parser.add_argument("--teacher", help="the teacher's directory")
parser.add_argument("--base", help="a BERT to fine-tune as the teacher on the labelled lines alone")
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--base-lines", type=int, default=1500)
parser.add_argument("--holdout-lines", type=int, default=1500)
parser.add_argument("--target-error", type=float, default=0.15)
parser.add_argument("--seed", type=int, default=5)
parser.add_argument("--poison", action="store_true")
parser.add_argument("--binary", default=f"{ROOT}/.build/release/understudy")
parser.add_argument("--out", default=f"{ROOT}/work/proof")
arguments = parser.parse_args()
if not arguments.teacher and not arguments.base:
    arguments.teacher = f"{ROOT}/share/models/teacher"

OUT = os.path.abspath(arguments.out)
CONFIG = f"{OUT}/understudy.yaml"
STATE = f"{OUT}/state"
#: The recipe of the bundled student, without made lines: they would cost the small start more than they give.
RECIPE = ["--loss", "kl", "--temperature", "2", "--lambda", "0.5", "--epochs", "8", "--shortcut-rate", "10",
          "--augment", "0"]


def understudy(*words, check=True):
    done = subprocess.run([arguments.binary, *words], capture_output=True, text=True)
    if check and done.returncode != 0:
        sys.exit(f"understudy {' '.join(words)} ended with {done.returncode}:\n{done.stderr}")
    return done


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def write(path, rows):
    # Under another name first: the daemon reads what is renamed into its folder.
    folder, name = os.path.split(path)
    with open(f"{folder}/.{name}", "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    os.rename(f"{folder}/.{name}", path)


# --- data

def prepare():
    rows = {}
    for row in read(f"{arguments.data}/train.jsonl"):
        rows.setdefault(row["text"], row)
    rows = list(rows.values())
    chance = random.Random(arguments.seed)
    chance.shuffle(rows)
    first, second = arguments.base_lines, arguments.base_lines + arguments.holdout_lines
    write(f"{OUT}/base.jsonl", rows[:first])
    write(f"{OUT}/holdout.jsonl", rows[first:second])
    write(f"{OUT}/test.jsonl", read(f"{arguments.data}/test-unseen.jsonl"))
    return drifting(rows[second:], read(f"{arguments.data}/transfer.jsonl"), chance)


def drifting(labelled, others, chance):
    """Rounds of texts whose mix of labels changes: each label's lines come mostly around one round."""
    labels = sorted({row["label"] for row in labelled})
    rounds = [[] for _ in range(arguments.rounds)]
    for row in labelled:
        # The round of a line: around the place of its label, with a wide spread.
        place = (labels.index(row["label"]) + 0.5) / len(labels) * arguments.rounds
        chosen = min(max(int(chance.gauss(place, arguments.rounds / 3)), 0), arguments.rounds - 1)
        rounds[chosen].append(row)
    known = {row["text"] for row in labelled}
    for index, row in enumerate(row for row in others if row["text"] not in known):
        rounds[index % arguments.rounds].append({"text": row["text"]})
    mixes = []
    for part in rounds:
        chance.shuffle(part)
        count = sum("label" in row for row in part)
        mixes.append({label: sum(row.get("label") == label for row in part) / count for label in labels})
    return [[{"text": row["text"]} for row in part] for part in rounds], mixes


# --- the daemon

class Daemon:
    def __init__(self):
        with open(f"{OUT}/daemon.log", "ab") as log:
            self.process = subprocess.Popen([arguments.binary, "run", "--config", CONFIG], stderr=log)
        self.wait(lambda: self.status()["phase"] == "ready", "the daemon is ready")

    def status(self):
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(f"{OUT}/http.sock")
                connection.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                answer = b"".join(iter(lambda: connection.recv(65536), b""))
            return json.loads(answer.partition(b"\r\n\r\n")[2])
        except (OSError, ValueError):
            return {"phase": "starting"}

    def wait(self, holds, what, seconds=900):
        deadline = time.monotonic() + seconds
        while not holds():
            if self.process.poll() is not None:
                sys.exit(f"the daemon ended with {self.process.returncode}; see {OUT}/daemon.log")
            if time.monotonic() > deadline:
                sys.exit(f"waited in vain: {what}")
            time.sleep(0.1)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(timeout=120) != 0:
            sys.exit(f"the daemon ended with {self.process.returncode}")


def configure(student, teacher):
    with open(CONFIG, "w", encoding="utf-8") as file:
        json.dump({
            "models": {"student": student, "teacher": teacher},
            "cascade": {"target_error": arguments.target_error, "audit_share": 0.02, "teacher_threads": 1},
            "sources": [{"name": "stream", "kind": "directory", "path": f"{OUT}/in", "mode": "files",
                         "input": "jsonl", "field": "text", "include": ["*.jsonl"]}],
            "sinks": [{"name": "answers", "kind": "file", "path": f"{OUT}/answers.jsonl"}],
            "state": {"directory": STATE}, "http": {"listen": f"unix:{OUT}/http.sock"},
            "redistill": {"train": f"{OUT}/base.jsonl", "holdout": f"{OUT}/holdout.jsonl",
                          "minimum_new_rows": 200, "threads": 2},
        }, file)
    for name in ("in", "state"):
        shutil.rmtree(f"{OUT}/{name}", ignore_errors=True)
        os.makedirs(f"{OUT}/{name}")
    for name in ("answers.jsonl", "daemon.log"):
        if os.path.exists(f"{OUT}/{name}"):
            os.remove(f"{OUT}/{name}")


def count_lines(path):
    if not os.path.exists(path):
        return 0
    with open(path, "rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


# --- measuring

def upper_bound(errors, lines, assurance=0.9):
    """Clopper and Pearson's bound of an error rate, as the daemon computes it."""
    def cumulative(rate):
        return sum(math.exp(math.lgamma(lines + 1) - math.lgamma(k + 1) - math.lgamma(lines - k + 1)
                            + k * math.log(rate) + (lines - k) * math.log1p(-rate)) for k in range(errors + 1))
    low, high = errors / lines, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if cumulative(middle) > 1 - assurance else (low, middle)
    return high


def sure_share(student, threshold_lines, lines):
    """The share of `lines` that the student answers itself when the threshold keeps the error among its answers to
    `threshold_lines` below the target."""
    def answers(path):
        rows = read(path)
        done = subprocess.run(
            [arguments.binary, "classify", "--student", student, "--no-teacher", "--input", "jsonl:text"],
            stdin=open(path, "rb"), capture_output=True)
        found = [json.loads(line) for line in done.stdout.splitlines()]
        return [(answer["confidence"], answer["label"] == row["label"]) for answer, row in zip(found, rows)]
    known = sorted(answers(threshold_lines), reverse=True)
    threshold, errors = 1.0, 0
    for position, (confidence, right) in enumerate(known, 1):
        errors += not right
        # From the same start as the daemon's search: a few errors must fit in.
        if position >= 60 and position % 10 == 0:
            if upper_bound(errors, position) > arguments.target_error:
                break
            threshold = confidence
    mine = answers(lines)
    return sum(confidence >= threshold for confidence, _ in mine) / len(mine)


def measure(student, teacher):
    report = json.loads(understudy("evaluate", "--json", "--data", f"{OUT}/test.jsonl", "--student", student,
                                   "--teacher", teacher, "--threads", "2").stdout)
    holdout = json.loads(understudy("evaluate", "--json", "--data", f"{OUT}/holdout.jsonl", "--student", student,
                                    "--threads", "2").stdout)
    cascade = report["cascade"]
    return {
        "accuracy": report["student"]["accuracy"], "teacher": report["teacher"]["accuracy"],
        "agreement": cascade["agreement"], "cascade": cascade["at_own_threshold"]["accuracy"],
        "holdout": holdout["student"]["accuracy"],
        "deferred_at_target": 1 - sure_share(student, f"{OUT}/holdout.jsonl", f"{OUT}/test.jsonl"),
    }


HEADS = ["round", "lines seen", "deferred", "student", "agreement", "cascade", "deferred at target", "holdout", "run"]


def row(number, seen, deferred, found, run):
    def percent(share):
        return "" if share is None else f"{100 * share:.1f} %"
    return [str(number), f"{seen:,}", percent(deferred), f"{100 * found['accuracy']:.2f}",
            f"{100 * found['agreement']:.1f}", f"{100 * found['cascade']:.2f}", percent(found["deferred_at_target"]),
            f"{100 * found['holdout']:.2f}", run]


def show(rows):
    widths = [max(len(cells[column]) for cells in [HEADS] + rows) for column in range(len(HEADS))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths)) + " |"
             for cells in [HEADS, ["-" * width for width in widths]] + rows]
    return "\n".join(lines)


def seen_by_teacher(status):
    return status["teacher"]["deferred"] + status["teacher"]["audited"]


# --- the two shows

def learn(rounds, mixes, teacher):
    configure(f"{OUT}/student-0", teacher)
    daemon = Daemon()
    found = measure(f"{OUT}/student-0", teacher)
    rows, history, seen = [row(0, 0, None, found, "")], [found], 0
    print(f"teacher alone on the test lines: {100 * found['teacher']:.2f}", flush=True)
    for number, part in enumerate(rounds, 1):
        asked = seen_by_teacher(daemon.status())
        write(f"{OUT}/in/round-{number}.jsonl", part)
        seen += len(part)
        daemon.wait(lambda: count_lines(f"{OUT}/answers.jsonl") >= seen, f"round {number} is answered")
        time.sleep(1)  # the last commit
        deferred = (seen_by_teacher(daemon.status()) - asked) / len(part)
        begun = time.monotonic()
        outcome = understudy("redistill", "--config", CONFIG).stdout.splitlines()
        seconds = time.monotonic() - begun
        said = [line for line in outcome if line.startswith("run ") or line.startswith("nothing")][-1]
        serving = os.path.realpath(f"{STATE}/students/current")
        if "serves from now on" in said:
            version = os.path.basename(serving)
            daemon.wait(lambda: daemon.status().get("student_model", {}).get("version") == version, f"the daemon takes up {version}")
            found = measure(serving, teacher)
        history.append(found)
        mix = ", ".join(f"{label} {100 * share:.0f}" for label, share in mixes[number - 1].items())
        rows.append(row(number, seen, deferred, found, f"{said.split(':', 1)[1].strip()[:60]}, {seconds:.0f} s"))
        print(f"round {number} ({mix}): {said}", flush=True)
    daemon.stop()
    table = show(rows)
    print("\n" + table)
    first, last = history[0], history[-1]
    worst = min((after["holdout"] - before["holdout"] for before, after in zip(history, history[1:])), default=0)
    verdicts = [
        (f"accuracy {100 * (last['accuracy'] - first['accuracy']):+.2f} points", last["accuracy"] - first["accuracy"] >= 0.03),
        (f"deferred at the target error {100 * first['deferred_at_target']:.1f} % → "
         f"{100 * last['deferred_at_target']:.1f} %", last["deferred_at_target"] <= first["deferred_at_target"] * 2 / 3),
        (f"no round lost more than the gate's margin on the holdout: worst {100 * worst:+.2f} points", worst >= -0.002),
    ]
    for text, holds in verdicts:
        print(("ok      " if holds else "FAILED  ") + text)
    with open(f"{OUT}/table.md", "w", encoding="utf-8") as file:
        file.write(table + "\n")
    return all(holds for _, holds in verdicts)


def confused(teacher):
    """A copy of the teacher that says the next label instead of each."""
    path = f"{OUT}/confused-teacher"
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(teacher, path)
    os.chmod(f"{path}/config.json", 0o644)
    with open(f"{path}/config.json", encoding="utf-8") as file:
        config = json.load(file)
    names = [config["id2label"][str(index)] for index in range(len(config["id2label"]))]
    names = names[1:] + names[:1]
    config["id2label"] = {str(index): name for index, name in enumerate(names)}
    config["label2id"] = {name: index for index, name in enumerate(names)}
    with open(f"{path}/config.json", "w", encoding="utf-8") as file:
        json.dump(config, file, ensure_ascii=False)
    return path


def poisoned(rounds, teacher):
    """Whether nothing is promoted: by a teacher that confuses labels, and by people's labels that are shuffled."""
    refused = []
    for name in ("a teacher that confuses the labels", "people's labels shuffled"):
        is_teacher = name.startswith("a teacher")
        configure(f"{OUT}/student-0", confused(teacher) if is_teacher else teacher)
        daemon = Daemon()
        write(f"{OUT}/in/round.jsonl", rounds[0])
        daemon.wait(lambda: count_lines(f"{OUT}/answers.jsonl") >= len(rounds[0]), "the round is answered")
        time.sleep(1)
        daemon.stop()
        if not is_teacher:
            log = [json.loads(line) for line in understudy("disagreements", "export", "--config", CONFIG).stdout.splitlines()]
            labels = [entry["teacher_label"] for entry in log]
            random.Random(arguments.seed).shuffle(labels)
            write(f"{OUT}/labels.jsonl", [{"id": entry["id"], "label": label} for entry, label in zip(log, labels)])
            understudy("disagreements", "label", "--config", CONFIG, "--from", f"{OUT}/labels.jsonl")
        done = understudy("redistill", "--config", CONFIG)
        print(f"== {name}\n{done.stdout}", flush=True)
        refused.append("refused" in done.stdout and not os.path.exists(f"{STATE}/students/current"))
    print(f"{'ok' if all(refused) else 'FAILED'}: {sum(refused)} of {len(refused)} poisoned logs refused, nothing promoted")
    return all(refused)


os.makedirs(OUT, exist_ok=True)
rounds, mixes = prepare()
teacher = arguments.teacher
if not teacher:
    teacher = f"{OUT}/teacher"
    if not os.path.exists(f"{teacher}/config.json"):
        print("fine-tuning the teacher on the labelled lines", flush=True)
        understudy("train", "teacher", "--base", arguments.base, "--train", f"{OUT}/base.jsonl", "--epochs", "6",
                   "--precision", "i8", "--seed", "0", "--out", teacher)
if not os.path.exists(f"{OUT}/student-0/config.json"):
    print("distilling student 0 on the labelled lines", flush=True)
    understudy("distill", "--teacher", teacher, "--train", f"{OUT}/base.jsonl", "--out", f"{OUT}/student-0",
               "--seed", "0", *RECIPE)
sys.exit(0 if (poisoned(rounds, teacher) if arguments.poison else learn(rounds, mixes, teacher)) else 1)
