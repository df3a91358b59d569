#!/usr/bin/env python3
"""Runs the daemon as its user would and tries the pitfalls that other stream daemons fell into.

    Tests/System/test_daemon.py BINARY [--only NAME…] [--long] [--list]

Each function that `daemon_tests` registers is a `unittest` test with a directory, a configuration and daemons of its
own; two run at a time. The output names the rows of the list of pitfalls that a test covers. A test that needs root or
a missing feature of the kernel is skipped, with the reason.
"""
import argparse
import concurrent.futures
import os
import sys
import time
import traceback
import unittest

from daemon_tests import (  # noqa: F401 (they register tests)
    beliefs, beliefs_sinks, commands, files, hands, lifecycle, models, redistill, reload, sinks, state, streams, trials)
from daemon_tests.harness import TESTS, Case, Failed, read


class DaemonTest(unittest.TestCase):
    """One registered function."""

    def __init__(self, function, binary, is_long):
        super().__init__()
        self.function, self.binary, self.is_long = function, binary, is_long
        self.note = self.problem = ""
        self.seconds = 0.0

    def id(self):
        return self.function.title

    def runTest(self):
        case = Case(self.binary, self.function.title, self.is_long)
        began = time.monotonic()
        try:
            self.function(case)
        except unittest.SkipTest as reason:
            case.note = str(reason)
            raise
        except Failed as reason:
            self.problem = str(reason)
            raise
        except Exception:
            self.problem = traceback.format_exc()
            raise
        finally:
            self.note, self.seconds = case.note, time.monotonic() - began
            if self.problem:
                log = read(f"{case.folder}/log").decode(errors="replace").splitlines()
                self.problem += f"\n    kept: {case.folder}; the end of the daemon's log:\n"
                self.problem += "".join(f"    | {text}\n" for text in log[-25:])
            case.close(keep=bool(self.problem))


def run(test):
    """The verdict of one test, which is printed when it ends."""
    result = unittest.TestResult()
    test.run(result)
    verdict = "passed" if result.wasSuccessful() else "FAILED"
    if result.skipped:
        verdict = "skipped"
    print(f"{verdict:7}  {test.id():34} {test.function.rows:8} {test.seconds:5.1f} s  {test.note}", flush=True)
    if verdict == "FAILED":
        print(f"    {test.problem or (result.errors + result.failures)[0][1]}", flush=True)
    return verdict


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="tests whose name contains one of these")
    parser.add_argument("--long", action="store_true", help="larger counts")
    parser.add_argument("--list", action="store_true", help="name the tests and end")
    arguments = parser.parse_args()
    chosen = [test for test in TESTS if not arguments.only or any(part in test.title for part in arguments.only)]
    if arguments.list:
        for test in chosen:
            print(f"{test.title:34} {test.rows:8} {test.__doc__.splitlines()[0]}")
        return 0
    if not arguments.binary or not chosen:
        parser.error("name the binary and tests that exist")
    if os.geteuid() == 0 and not os.environ.get("UNDERSTUDY_TEST_NAMESPACE"):
        # Mounts stay inside this namespace and end with the tests, however they end.
        os.execvpe(
            "unshare", ["unshare", "-m", sys.executable, *sys.argv], dict(os.environ, UNDERSTUDY_TEST_NAMESPACE="1"))
    began = time.monotonic()
    binary = os.path.abspath(arguments.binary)
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        verdicts = list(pool.map(run, [DaemonTest(test, binary, arguments.long) for test in chosen]))
    redistill.forget()
    failed, skipped = verdicts.count("FAILED"), verdicts.count("skipped")
    print(f"{verdicts.count('passed')} passed, {skipped} skipped, {failed} failed in {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
