#!/usr/bin/env python3
"""Counts instructions under callgrind and compares them with Benchmarks/instructions.json: a slow-down without a clock.

    Benchmarks/instructions.py BINARY [--update]

`filter` is what one more line costs `classify --no-teacher` on one thread, `student` what a line that doesn't exit early
costs from ids to logits.
The input is fixed: the sample headlines, and from them others by a rule. valgrind knows no AVX-512, so the AVX2 kernels
run. A count may be a twentieth above its threshold (compilers differ) before this fails with status 1; --update writes
what was counted.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
THRESHOLDS = HERE / "instructions.json"
MODELS = HERE.parent / "share" / "models"
TOLERANCE = 1.05
# StudentScorer.score(_: StudentBatch, into:), as Swift mangles it.
STUDENT = "*6Models13StudentScorerC5score_4intoyAA0B5BatchV*"


def headlines(count):
    """`count` lines: the sample's first 40, which exit early, each turned by one more character in every round."""
    sample = HERE.parent / "share" / "sample" / "headlines.tsv"
    texts = [line.split("\t")[1] for line in sample.read_text(encoding="utf-8").splitlines()[:40]]
    lines = []
    for number in range(count):
        text = texts[number % len(texts)]
        turn = number // len(texts) % len(text)
        lines.append(text[turn:] + text[:turn])
    return "".join(line + "\n" for line in lines).encode()


def count(binary, lines, only=None):
    """Instructions of one run over `lines`; of one function and what it calls with `only`."""
    with tempfile.TemporaryDirectory() as folder:
        # valgrind 3.19 can't read the debug information that Swift writes; names of functions stay.
        subprocess.run(["strip", "--strip-debug", "-o", f"{folder}/understudy", binary], check=True)
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", "--quiet"]
        if only:
            command.append(f"--toggle-collect={only}")
            shutil.copytree(MODELS / "student", f"{folder}/student")
            config = json.loads((MODELS / "student" / "config.json").read_text(encoding="utf-8"))
            config["early_exit"]["threshold"] = 1
            pathlib.Path(f"{folder}/student/config.json").write_text(json.dumps(config), encoding="utf-8")
        command += [f"{folder}/understudy", "classify", "--no-teacher", "--threads", "1"]
        if only:
            command += ["--student", f"{folder}/student"]
        environment = {**os.environ, "UNDERSTUDY_KERNELS": "avx2", "SWIFT_BACKTRACE": "enable=no",
                       "UNDERSTUDY_MODELS": str(MODELS)}
        done = subprocess.run(command, input=lines, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        if done.returncode != 0 or done.stdout.count(b"\n") != lines.count(b"\n"):
            sys.exit(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stderr.decode(errors='replace')[-2000:]}")
        text = pathlib.Path(f"{folder}/out").read_text(encoding="utf-8", errors="replace")
        return sum(int(number) for number in re.findall(r"^(?:summary|totals): (\d+)", text, re.M)[:1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    # Enough lines that a start, which varies by half a million instructions, changes the difference by less than 1 %.
    few, many = 600, 9600
    found = {}
    for name, only in (("filter", None), ("student", STUDENT)):
        found[name] = (count(arguments.binary, headlines(many), only)
                       - count(arguments.binary, headlines(few), only)) / (many - few)
        if found[name] <= 0:
            sys.exit(f"{name}: nothing was counted; is the function still called so?")
    if arguments.update:
        THRESHOLDS.write_text(json.dumps({name: round(value) for name, value in found.items()}, indent=2) + "\n")
    thresholds = json.loads(THRESHOLDS.read_text())
    failed = False
    for name, value in found.items():
        share = value / thresholds[name]
        failed |= share > TOLERANCE
        print(f"{name}: {value:,.0f} instructions a line, {100 * share:.1f} % of the threshold"
              + (": too many" if share > TOLERANCE else ""))
    if all(value < 0.9 * thresholds[name] for name, value in found.items()):
        print("all counts are far below: write new thresholds with --update")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
