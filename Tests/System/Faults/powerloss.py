#!/usr/bin/env python3
"""Simulates power losses repeatedly, and checks that no line is missing or doubled.

    powerloss.py BINARY [--states N] [--minutes M] [--flow files|tail|move|delete|template|all] [--seed S] [--jobs N]
                 [--per-kill N] [--ignore-fdatasync sinks] [--expect-failure]

The daemon runs under the recorder `disk.c` on numbered lines and is killed at a random moment. From the journal,
possible states of a disk after a power loss during the run are drawn (`disk.py`, README.md). Each is restored in the
directory, with the original inodes of the files; the daemon is started on it and must answer all lines exactly once in
whole records, and move or delete its input files. A third of these starts are killed as well, and another state is
drawn from that run. The input is durable: it was written before.

--ignore-fdatasync sinks: fsync and fdatasync of sink files are ignored, as if the daemon didn't call them. With
--expect-failure the run must find lines that are missing or doubled, and fails otherwise.
"""
import argparse
import collections
import concurrent.futures
import itertools
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback

import disk
from flows import KINDS, Flow, compile_library, end
from daemon_tests.harness import Case, read

#: Without the spool: bytes read from a pipe are only guaranteed to survive kill -9.
FLOWS = [kind for kind in KINDS if kind != "spool"]
#: Seconds without an answer after which a state has failed; a start may take long on a busy machine.
PATIENCE = 600


class TreeCase(Case):
    """A case whose data is below one directory, separate from the log and the configuration."""

    def __init__(self, binary, name):
        super().__init__(binary, name, False)
        self.tree = f"{self.folder}/tree"
        for directory in ("", "/in", "/out", "/state"):
            os.mkdir(self.tree + directory)
        self.settings["state"]["directory"] = self.path("state")
        os.mkdir(f"{self.folder}/stash")

    def path(self, name):
        if name.split("/")[0] in ("in", "out", "state", "done"):
            return f"{self.folder}/tree/{name}"
        return f"{self.folder}/{name}"


class Trial:
    """One tree: a run that is killed, and states drawn from it."""

    def __init__(self, options, library, kind, seed):
        self.options = options
        self.library = library
        self.kind = kind
        self.chance = disk.seeded("powerloss", options.seed, seed)
        self.case = TreeCase(options.binary, f"power-{kind}")
        self.flow = Flow(self.case, kind, self.chance, commit_milliseconds=10, is_aged=True)
        self.tree = disk.Tree(self.case.tree, f"{self.case.folder}/stash")
        self.journals = 0
        self.counts = collections.Counter()
        self.failures = []

    def launch(self):
        """Starts the daemon under the recorder; returns it and its journal."""
        self.journals += 1
        journal = f"{self.case.folder}/journal.{self.journals}"
        environment = {"LD_PRELOAD": self.library, "DISK_ROOT": self.case.tree, "DISK_JOURNAL": journal,
                       "DISK_STASH": f"{self.case.folder}/stash"}
        if self.options.ignore_fdatasync:
            environment["DISK_IGNORE_SYNC"] = self.case.path("out") + "/*"
        return self.case.launch(environment=environment), journal

    def first_run(self):
        """Feeds lines until the kill; returns the image before the run and the journal."""
        daemon, journal = self.launch()
        self.flow.hand_over(self.chance.randrange(1, 60))
        self.kill(daemon, self.chance.randrange(1, 800), feeds=True)
        image = {directory: (disk.DIRECTORY, b"") for directory in
                 {self.case.tree, *(self.case.path(name) for name in ("in", "out", "state"))}}
        if self.kind == "move":
            image[self.case.path("done")] = (disk.DIRECTORY, b"")
        for path, inode in self.flow.places.items():
            image[path] = (inode, self.flow.contents[inode])
        return image, journal

    def kill(self, daemon, answers, feeds=False):
        """Sends SIGKILL at a random moment: in the first half second, or shortly after `answers` more answers."""
        before = self.flow.answered()
        began = time.monotonic()
        end = began + 15
        if self.chance.random() < 0.15:
            end = began + self.chance.uniform(0, 0.5)
        while time.monotonic() < end:
            answered = self.flow.answered()
            if answered >= before + answers:
                end = min(end, time.monotonic() + self.chance.uniform(0, 0.03))
            if daemon.process.poll() is not None:
                raise RuntimeError(f"the daemon ended by itself with {daemon.process.returncode}")
            if feeds and self.flow.written - answered < 400:
                self.flow.hand_over(self.chance.randrange(1, 60))
            if not feeds and answered >= self.flow.written:
                end = min(end, time.monotonic() + self.chance.uniform(0, 0.1))
            time.sleep(0.003)
        daemon.kill()
        self.counts["kills"] += 1

    def draw(self, image, journal, count):
        """Yields `count` images, after random records of the journal; a third of them after the last one."""
        found = disk.records(journal)
        cuts = sorted(self.chance.choice([self.chance.randrange(len(found) + 1)] * 2 + [len(found)])
                      for _ in range(count))
        model = disk.Disk(self.case.tree, image)
        done = 0
        for cut in cuts:
            for record in found[done:cut]:
                model.replay(record)
            done = cut
            yield model.draw(self.chance, self.tree.memory)

    def run(self, states):
        """Returns once `states` states have been tested."""
        image, journal = self.first_run()
        remembered = self.flow.remember()
        drawn = list(self.draw(image, journal, states))
        self.chance.shuffle(drawn)
        while drawn and self.counts["states"] < states:
            state = drawn.pop()
            self.tree.restore(state)
            self.flow.recall(remembered)
            self.counts["states"] += 1
            if self.counts["states"] < states and self.chance.random() < 0.33:
                # Another power loss while the daemon recovers from the first one.
                daemon, journal = self.launch()
                self.kill(daemon, self.chance.randrange(1, 400))
                state = next(self.draw(state, journal, 1))
                self.tree.restore(state)
                self.counts["states"] += 1
            self.finish(state)

    def finish(self, state):
        """Starts the daemon on the present state, waits until all lines are answered, and counts."""
        daemon, _ = self.launch()
        last = self.flow.hand_over_last()
        problems = []
        count, since = -1, time.monotonic()
        while not self.flow.has(last) or self.flow.left_over():
            if daemon.process.poll() is not None:
                problems.append(f"the daemon ended by itself with {daemon.process.returncode}")
                break
            now = self.flow.answered()
            if now != count:
                count, since = now, time.monotonic()
            if time.monotonic() - since > PATIENCE:
                problems.append(f"nothing goes on: {count} of {self.flow.written}, left {self.flow.left_over()[:5]}")
                break
            time.sleep(0.01)
        if daemon.process.poll() is None:
            status, problem = end(daemon, signal.SIGTERM)
            if problem or status != 0:
                problems.append(problem or f"exit status {status} at the end")
        tally = self.flow.tally()
        problems += tally.faults()
        self.counts["lines"] += tally.wanted
        self.counts["missing"] += len(tally.missing)
        self.counts["doubled"] += len(tally.doubled)
        if problems:
            self.counts["failed"] += 1
            self.keep(state, problems, daemon.log)

    def keep(self, state, problems, log):
        """Keeps the failed state for inspection."""
        folder = f"{self.case.folder}/failed.{self.counts['states']}"
        for path, (inode, content) in sorted(state.items()):
            copy = folder + path[len(self.case.tree):]
            if inode == disk.DIRECTORY:
                os.makedirs(copy, exist_ok=True)
            else:
                with open(copy, "wb") as file:
                    file.write(content)
        shutil.copytree(self.case.tree, f"{folder}/after", ignore=shutil.ignore_patterns("*.sock"))
        self.failures.append((folder, problems, log))

    def close(self):
        self.flow.close()
        self.case.close(keep=bool(self.failures) and not self.options.expect_failure)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=os.path.abspath)
    parser.add_argument("--states", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=60, help="end after so long, though it be fewer states")
    parser.add_argument("--flow", choices=[*FLOWS, "all"], default="all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="daemons at a time")
    parser.add_argument("--per-kill", type=int, default=12, help="states drawn from one run")
    parser.add_argument("--ignore-fdatasync", choices=["sinks"])
    parser.add_argument("--expect-failure", action="store_true")
    options = parser.parse_args()
    if os.path.isdir("/dev/shm"):
        tempfile.tempdir = "/dev/shm"  # syncing is fast there
    library = compile_library("disk")
    flows = FLOWS if options.flow == "all" else [options.flow]
    began = time.monotonic()
    total = collections.Counter()
    by_flow = collections.defaultdict(collections.Counter)
    lock = threading.Lock()
    numbers = itertools.count()
    shown = 0

    def work():
        nonlocal shown
        while True:
            with lock:
                rest = options.states - total["planned"]
                if rest <= 0 or time.monotonic() - began > 60 * options.minutes:
                    return
                states = min(options.per_kill, rest)
                total["planned"] += states
                number = next(numbers)
            kind = flows[number % len(flows)]
            trial = Trial(options, library, kind, number)
            try:
                trial.run(states)
            except Exception:  # an error of this tool, or a daemon that ends
                trial.counts["failed"] += 1
                trial.failures.append((trial.case.folder, [traceback.format_exc()], read(f"{trial.case.folder}/log").decode()))
            with lock:
                total.update(trial.counts)
                by_flow[kind].update(trial.counts)
                for folder, problems, log in trial.failures:
                    if shown >= (3 if options.expect_failure else 10):
                        break
                    shown += 1
                    if options.expect_failure:
                        print(f"as expected: {kind}, trial {options.seed}.{number}: {'; '.join(problems)}", flush=True)
                        continue
                    print(f"FAILED: {kind}, trial {options.seed}.{number}: {'; '.join(problems)}\n"
                          f"    left for a look: {folder}; the end of the daemon's log:")
                    print("".join(f"    | {text}\n" for text in log.splitlines()[-8:]), flush=True)
            trial.close()

    with concurrent.futures.ThreadPoolExecutor(max_workers=options.jobs) as pool:
        for future in [pool.submit(work) for _ in range(options.jobs)]:
            future.result()
    shutil.rmtree(os.path.dirname(library))
    for kind, counts in sorted(by_flow.items()):
        print(f"{kind:9} {counts['states']} states, {counts['failed']} failed, {counts['lines']} lines: "
              f"{counts['missing']} missing, {counts['doubled']} doubled")
    print(f"{total['states']} states after {total['kills']} kills, {total['failed']} failed; {total['lines']} lines: "
          f"{total['missing']} missing, {total['doubled']} doubled; {time.monotonic() - began:.0f} s")
    if options.expect_failure:
        if total["missing"] + total["doubled"] == 0:
            sys.exit("lines should have been missing or doubled, and this run would not have seen it")
        return
    sys.exit(1 if total["failed"] else 0)


if __name__ == "__main__":
    main()
