#!/usr/bin/env python3
"""Runs the daemon as its user would and tries the pitfalls that other stream daemons fell into.

    scripts/test-daemon.py BINARY [--only NAME…] [--long] [--list]

Each test has a directory, a configuration and daemons of its own; two run at a time. Next to its name stand the rows of
the list of pitfalls that it covers. What needs root or a kernel's feature that isn't there is skipped, and said.
"""
import argparse
import concurrent.futures
import os
import sys
import time
import traceback

from daemon_tests import (  # noqa: F401 (they register tests)
    beliefs, beliefs_sinks, commands, files, hands, lifecycle, models, redistill, reload, sinks, state, streams, trials)
from daemon_tests.harness import TESTS, Case, Failed, Skipped, read

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("binary", nargs="?")
parser.add_argument("--only", nargs="+", metavar="NAME", help="tests whose name holds one of these")
parser.add_argument("--long", action="store_true", help="larger counts")
parser.add_argument("--list", action="store_true", help="name the tests and end")
arguments = parser.parse_args()

chosen = [test for test in TESTS if not arguments.only or any(part in test.title for part in arguments.only)]
if arguments.list:
    for test in chosen:
        print(f"{test.title:34} {test.rows:8} {test.__doc__.splitlines()[0]}")
    sys.exit(0)
if not arguments.binary or not chosen:
    parser.error("name the binary and tests that exist")

if os.geteuid() == 0 and not os.environ.get("UNDERSTUDY_TEST_NAMESPACE"):
    # Mounts stay inside, and go when the tests end, however they end.
    os.execvpe(
        "unshare", ["unshare", "-m", sys.executable, *sys.argv], dict(os.environ, UNDERSTUDY_TEST_NAMESPACE="1"))


def run(test):
    """The verdict and what belongs to it."""
    case = Case(os.path.abspath(arguments.binary), test.title, arguments.long)
    began = time.monotonic()
    failure = None
    try:
        test(case)
        verdict = "passed"
    except Skipped as reason:
        verdict, case.note = "skipped", str(reason)
    except Failed as reason:
        verdict, failure = "FAILED", str(reason)
    except Exception:
        verdict, failure = "FAILED", traceback.format_exc()
    log = read(f"{case.folder}/log").decode(errors="replace")
    case.close(keep=failure is not None)
    seconds = time.monotonic() - began
    print(f"{verdict:7}  {test.title:34} {test.rows:8} {seconds:5.1f} s  {case.note}", flush=True)
    if failure is not None:
        print(f"    {failure}\n    left for a look: {case.folder}; the end of the daemon's log:")
        print("".join(f"    | {text}\n" for text in log.splitlines()[-25:]), flush=True)
    return verdict


began = time.monotonic()
with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
    verdicts = list(pool.map(run, chosen))
redistill.forget()
failed, skipped = verdicts.count("FAILED"), verdicts.count("skipped")
print(f"{verdicts.count('passed')} passed, {skipped} skipped, {failed} failed in {time.monotonic() - began:.0f} s")
sys.exit(1 if failed else 0)
