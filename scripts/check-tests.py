#!/usr/bin/env python3
"""Checks that tests which wait for threads, processes, descriptors or time say so with `.offPool`.

Swift Testing runs tests on the cooperative pool, whose few threads must never wait: with all of them waiting, nothing
that needs the pool goes on, and the test run hangs. Usage: scripts/check-tests.py
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent / "Tests"
#: What waits. Helpers that wait inside are named too.
WAITS = re.compile(
    r"\b(?:u?sleep|waitpid|poll|accept|recv|eventually|waitUntil|WorkerThread|Process|Running|Stand|Stage)\("
    r"|\beventually \{|\.join\(\)|\bProgram\.(?:run|shell)\(|DispatchSemaphore|\bStore\.open\(|\bLane\(")


def main():
    complaints = []
    for path in sorted(ROOT.rglob("*.swift")):
        text = path.read_text(encoding="utf-8")
        # Each test belongs to the suite before it.
        for suite in re.split(r"(?m)^(?=@Suite)", text)[1:]:
            found = WAITS.search(suite)
            if found and "@Test" in suite and ".offPool" not in suite:
                name = re.search(r"(?:struct|class) (\w+)", suite).group(1)
                complaints.append(
                    f"{path.relative_to(ROOT.parent)}: {name} waits ('{found.group()}'); mark it @Suite(.offPool)")
    for complaint in complaints:
        print(f"check-tests: {complaint}", file=sys.stderr)
    sys.exit(1 if complaints else 0)


main()
