#!/usr/bin/env python3
"""Puts faults into the sources, one at a time, and says which of them the tests notice.

    scripts/mutate-sources.py [--room ROOM] [--only NAME ...] [--check] [--list] [--built] [--logs DIR]
                              [--configuration release|debug]

The faults are in Tests/Mutations/mutations.txt: a file, a text in it, what stands there instead, and the tests that
should fail then. All of them are built at once, each behind a comparison with the environment variable
UNDERSTUDY_MUTANT, so that one build serves all runs of the tests. Prints one line for each:

    killed            the tests failed, crashed or hung
    survived          the tests passed: a test is missing, or the fault changes nothing
    does not compile  left out of the build

A fault that changes nothing that a test could see has a reason in the file ("equivalent: ...") and is expected to
survive. --check compares the texts with the sources and builds nothing; --built runs the tests of the build that an
earlier run has left, and --logs keeps what the tests print. The tests run as `swift test -c release --skip-build --filter
TESTS`, or in the other configuration. The sources are put back at the end, also after an interruption; nothing starts on
a tree with changes that aren't committed. The exit status is 1 where a fault survived, doesn't compile, or is out of
date. Needs nothing but Python and git.
"""
import argparse
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import zlib

TABLE = "Tests/Mutations/mutations.txt"
BUILD = ["swift", "build", "--build-tests", "-c"]
TEST = ["swift", "test", "--skip-build", "-c"]
VARIABLE = "UNDERSTUDY_MUTANT"
# The tests of a mutant may take so many times as long as without one, and at least so many seconds.
PATIENCE, SHORTEST = 8, 240

SWIFT_SWITCH = """
import Glibc

private let mutantInForce = getenv("{variable}").flatMap {{ Int(String(cString: $0)) }} ?? 0
private func mutantIs(_ number: Int) -> Bool {{ mutantInForce == number }}
"""

C_SWITCH = """\
#ifndef UNDERSTUDY_MUTANT_SWITCH
#define UNDERSTUDY_MUTANT_SWITCH
#include <stdlib.h>
static int mutant_in_force;
__attribute__((constructor)) static void read_mutant(void) {{
    const char *text = getenv("{variable}");
    mutant_in_force = text ? atoi(text) : 0;
}}
#define mutant_is(number) (mutant_in_force == (number))
#endif
"""


class Problem(Exception):
    """Ends the program with a sentence."""


class Mutation:
    """One fault. `form` is what the text is in the language: an expression or a statement."""

    def __init__(self, name, room, line):
        self.name, self.room, self.line = name, room, line
        self.file = self.tests = self.equivalent = None
        self.form = "expression"
        self.original, self.mutated = [], []
        self.has_mutated = False
        # What the switch compares with. By the name, so that a build serves a table that has grown since.
        self.number = zlib.crc32(name.encode()) & 0x7FFFFFFF


# MARK: The table

def read_table(path):
    """Blocks of a name in brackets, `key: value` lines, and the text before (-) and after (+)."""
    mutations, room = [], ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("//"):
            continue
        if line.startswith("# "):
            room = line[2:].strip()
            continue
        if match := re.fullmatch(r"\[([a-z0-9-]+)\]", line):
            if any(known.name == match[1] for known in mutations):
                raise Problem(f"{path}:{number}: there are two mutations named {match[1]}")
            mutations.append(Mutation(match[1], room, number))
            continue
        if not mutations:
            raise Problem(f"{path}:{number}: a name in brackets comes first")
        last = mutations[-1]
        if line == "-" or line.startswith("- "):
            last.original.append(line[2:])
        elif line == "+" or line.startswith("+ "):
            last.has_mutated = True
            last.mutated.append(line[2:])
        elif match := re.fullmatch(r"(file|form|tests|equivalent): (.+)", line):
            setattr(last, match[1], match[2])
        else:
            raise Problem(f"{path}:{number}: this is neither a key nor a text: {line}")
    for mutation in mutations:
        if not (mutation.file and mutation.tests and mutation.original and mutation.has_mutated):
            raise Problem(f"{path}:{mutation.line}: {mutation.name} needs a file, tests, and the texts before and after")
        if mutation.form not in ("expression", "statement"):
            raise Problem(f"{path}:{mutation.line}: the form is expression or statement")
    return mutations


def place(mutation, text):
    """Where the mutation's text stands in a file: (begin, end). White space counts as equal, whatever there is of it.

    Of a text with a part in ⟦brackets⟧ that part is what changes; the rest says which one is meant.
    """
    def pattern(part):
        return r"\s+".join(map(re.escape, part.split()))

    before, opening, rest = "\n".join(mutation.original).partition("⟦")
    changed, _, after = rest.partition("⟧") if opening else (before, "", "")
    around = (pattern(before) + r"\s*" if opening and before.strip() else "",
              r"\s*" + pattern(after) if after.strip() else "")
    found = list(re.finditer(f"{around[0]}({pattern(changed)}){around[1]}", text))
    if len(found) != 1:
        what = "isn't there any more" if not found else f"is there {len(found)} times"
        raise Problem(f"{mutation.name}: its text {what} in {mutation.file}")
    return found[0].span(1)


def check(root, mutations):
    """The mutations whose texts match the sources. The others are told of."""
    good, texts = [], {}
    for mutation in mutations:
        path = root / mutation.file
        try:
            if mutation.file not in texts:
                if not path.is_file():
                    raise Problem(f"{mutation.name}: there is no file {mutation.file}")
                texts[mutation.file] = path.read_text(encoding="utf-8")
            mutation.span = place(mutation, texts[mutation.file])
            for other in good:
                if other.file == mutation.file and other.span != mutation.span:
                    if other.span[0] < mutation.span[1] and mutation.span[0] < other.span[1]:
                        raise Problem(f"{mutation.name}: its text overlaps with that of {other.name}")
            good.append(mutation)
        except Problem as problem:
            print(f"mutate-sources: {problem}", file=sys.stderr)
    return good


# MARK: Changing the sources

def switched(original, mutations, is_swift):
    """The original text with its mutations, each behind the switch."""
    condition = "mutantIs({})" if is_swift else "mutant_is({})"
    text = original
    for mutation in reversed(mutations):
        chosen, mutated = condition.format(mutation.number), "\n".join(mutation.mutated)
        if mutation.form == "expression":
            text = f"({chosen} ? ({mutated}) : ({text}))"
        elif is_swift:
            text = f"if {chosen} {{\n{mutated}\n}} else {{\n{text}\n}}"
        else:
            text = f"if ({chosen}) {{\n{mutated}\n}} else {{\n{text}\n}}"
    return text


def mutate(root, mutations, originals):
    """Writes the files with these mutations in them; returns for each file the lines of each mutation, for the compiler's
    errors. A file that holds its text already isn't written, so that it isn't compiled once more."""
    lines = {}
    for name, text in originals.items():
        is_swift = name.endswith(".swift")
        groups = {}
        for mutation in mutations:
            if mutation.file == name:
                groups.setdefault(mutation.span, []).append(mutation)
        switch = (SWIFT_SWITCH if is_swift else C_SWITCH).format(variable=VARIABLE)
        made, last = "" if is_swift else switch, 0
        for (begin, end), group in sorted(groups.items()):
            made += text[last:begin]
            first = made.count("\n") + 1
            made += switched(text[begin:end], group, is_swift)
            for mutation in group:
                lines.setdefault(name, []).append((first, made.count("\n") + 1, mutation))
            last = end
        made += text[last:]
        made = made + (switch if is_swift else "") if groups else text
        if (root / name).read_text(encoding="utf-8") != made:
            (root / name).write_text(made, encoding="utf-8")
    return lines


def build(root, mutations, configuration):
    """Builds the sources with all mutations that compile; the ones that don't."""
    left, broken = list(mutations), []
    names = sorted({mutation.file for mutation in mutations})
    originals = {name: (root / name).read_text(encoding="utf-8") for name in names}
    while True:
        lines = mutate(root, left, originals)
        done = subprocess.run([*BUILD, configuration], cwd=root, capture_output=True, text=True)
        if done.returncode == 0:
            return left, broken
        output = done.stdout + done.stderr
        bad = set()
        for match in re.finditer(r"([\w./+-]+):(\d+):\d+: error: ", output):
            for name, spans in lines.items():
                if match[1].endswith(name):
                    bad.update(m.name for first, last, m in spans if first <= int(match[2]) <= last)
        if not bad:
            raise Problem("the sources don't build, and not because of one mutation:\n" + output[-3000:])
        for mutation in left:
            if mutation.name in bad:
                print(f"{mutation.name}: does not compile", flush=True)
                broken.append(mutation)
        left = [mutation for mutation in left if mutation.name not in bad]


def restore(root, mutations):
    files = sorted({mutation.file for mutation in mutations})
    subprocess.run(["git", "checkout", "--quiet", "--", *files], cwd=root, check=True)


# MARK: Running the tests

def run_tests(root, configuration, tests, number, limit):
    """'passed', 'failed' or 'hung', the number of tests that ran, the seconds, and the output."""
    begin = time.monotonic()
    environment = dict(os.environ, **{VARIABLE: str(number)})
    process = subprocess.Popen(
        [*TEST, configuration, "--filter", tests], cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", start_new_session=True)
    try:
        output, _ = process.communicate(timeout=limit)
        outcome = "passed" if process.returncode == 0 else "failed"
    except subprocess.TimeoutExpired:
        outcome, output = "hung", ""
    finally:
        if process.poll() is None:
            # Its own session: the tests' processes and nothing else.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    count = sum(int(found) for found in re.findall(r"Test run with (\d+) tests?", output))
    return outcome, count, time.monotonic() - begin, output


def failures(output):
    """The names of the tests that failed."""
    return sorted(set(re.findall(r"Test ([\w(:)]+)(?: with \d+ test cases)? failed after", output)))


def baseline(root, mutations, configuration):
    """How long each filter's tests take without a mutant; they must pass."""
    seconds = {}
    for tests in sorted({mutation.tests for mutation in mutations}):
        outcome, count, taken, output = run_tests(root, configuration, tests, 0, None)
        if outcome != "passed" or count == 0:
            raise Problem(f"without a mutation the tests {tests} {outcome if count else 'are none'}:\n{output[-3000:]}")
        seconds[tests] = taken
    return seconds


def main():
    parser = argparse.ArgumentParser(description="Which faults in the sources do the tests notice?")
    parser.add_argument("--room", help="only the mutations under this heading of the table")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these mutations")
    parser.add_argument("--check", action="store_true", help="only compare the table with the sources")
    parser.add_argument("--list", action="store_true", help="only print the table's names")
    parser.add_argument("--configuration", choices=("release", "debug"), default="release", help="of the build")
    parser.add_argument("--built", action="store_true", help="the mutations are in the build already")
    parser.add_argument("--logs", metavar="DIR", type=pathlib.Path, help="where to keep what the tests print")
    arguments = parser.parse_args()
    root = pathlib.Path(__file__).resolve().parent.parent
    mutations = read_table(root / TABLE)
    good = check(root, mutations)
    outdated = len(mutations) - len(good)
    chosen = [
        mutation for mutation in good
        if (not arguments.room or mutation.room == arguments.room)
        and (not arguments.only or mutation.name in arguments.only)]
    if arguments.list or arguments.check:
        if arguments.list:
            for mutation in chosen:
                print(f"{mutation.room:12} {mutation.name}")
        print(f"{len(good)} of {len(mutations)} mutations match the sources")
        return 1 if outdated else 0
    if not chosen:
        raise Problem("there is no such mutation")
    changed = subprocess.run(
        ["git", "status", "--porcelain"], cwd=root, check=True, capture_output=True, text=True).stdout
    if changed and not arguments.built:
        raise Problem("the tree has changes that aren't committed; commit or remove them first:\n" + changed.rstrip())
    counts = {"killed": 0, "survived": 0, "equivalent": 0, "does not compile": 0}
    try:
        left, broken = (chosen, []) if arguments.built else build(root, chosen, arguments.configuration)
        counts["does not compile"] = len(broken)
        seconds = baseline(root, left, arguments.configuration)
        for mutation in left:
            limit = max(SHORTEST, PATIENCE * seconds[mutation.tests])
            outcome, _, taken, output = run_tests(
                root, arguments.configuration, mutation.tests, mutation.number, limit)
            if arguments.logs:
                arguments.logs.mkdir(parents=True, exist_ok=True)
                (arguments.logs / f"{mutation.name}.log").write_text(output, encoding="utf-8")
            word = "survived" if outcome == "passed" else "killed"
            note = ""
            if word == "survived" and mutation.equivalent:
                word, note = "equivalent", f" ({mutation.equivalent})"
            elif outcome == "hung":
                note = " (hung)"
            elif word == "killed":
                note = f" ({', '.join(failures(output)) or 'crashed'})"
            counts[word] += 1
            print(f"{word:10} {mutation.room:12} {mutation.name} by {mutation.tests}, {taken:.0f} s{note}", flush=True)
    finally:
        if not arguments.built:
            restore(root, chosen)
    print(", ".join(f"{count} {word}" for word, count in counts.items()))
    return 1 if outdated or counts["survived"] or counts["does not compile"] else 0


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        sys.exit(main())
    except Problem as problem:
        print(f"mutate-sources: {problem}", file=sys.stderr)
        sys.exit(2)
