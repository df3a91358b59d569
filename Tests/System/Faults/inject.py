#!/usr/bin/env python3
"""Runs the daemon on numbered lines under failing system calls, and checks that no line is missing or doubled.

    inject.py BINARY [--minutes M | --faults N] [--kill] [--flow files|tail|move|delete|template|spool|all] [--seed S]
              [--round SECONDS] [--rate FACTOR] [--patience SECONDS] [--keep]

Calls fail through `faults.c`; RULES below lists which, where and how often. The run consists of rounds, each with its
own flow, directory and seed. With --kill the daemon also gets SIGKILL at random moments. If the daemon ends with a
status for a failure of the machine (66, 73, 74, 75), or /healthz reports for ten seconds that it isn't healthy, it is
restarted and that is counted. At the end of a round the faults are switched off while the daemon runs; it must answer
the remaining lines by itself, and --patience seconds without progress while /healthz returns 200 are a failure. Then it
is started once more without the library, and the lines in the sinks are counted.
"""
import argparse
import collections
import mmap
import os
import random
import shutil
import signal
import socket
import struct
import sys
import time

from flows import KINDS, Flow, compile_library, end
from daemon_tests.harness import Case, read

#: For each kind of directory, in the syntax of `faults.c`. {f} is the case's folder.
RULES = """
open,create {f}/in* EIO,EMFILE,ENFILE,ENOMEM,EINTR 0.01
read,pread {f}/in* EIO,EINTR,short 0.02
stat {f}/in* EIO,EINTR,ENOMEM 0.006
opendir {f}/in* EIO,EMFILE,ENOMEM,EINTR 0.02
readdir {f}/in* EIO 0.004
access {f}/in* EIO 0.01
unlink {f}/in* EIO,EBUSY,EINTR 0.05
rename,link,mkdir {f}/done* EIO,ENOSPC,EINTR 0.05
inotify_init inotify: EMFILE,ENOMEM 0.05
inotify_add {f}/in* EIO,ENOSPC,ENOMEM 0.05
inotify_read inotify: EIO,EINTR 0.01

open,create {f}/out* EIO,EMFILE,ENOSPC,EINTR 0.02
write {f}/out* EIO,ENOSPC,EDQUOT,EINTR,short 0.03
write {f}/out* ENOSPC 0.0005*20
fdatasync {f}/out* EINTR,ENOSPC,EDQUOT 0.02
fdatasync {f}/out* EIO 0.0005
fsync {f}/out* EIO,EINTR,ENOSPC 0.02
ftruncate {f}/out* EIO,EINTR 0.05
pread {f}/out* EIO,EINTR,short 0.02
stat {f}/out* EIO,EINTR,ENOMEM 0.01
opendir,mkdir {f}/out* EIO,ENOSPC,EMFILE 0.02
readdir {f}/out* EIO 0.02
lock {f}/out* EINTR,ENOLCK 0.02
unlock {f}/out* ENOLCK 0.02

read,pread,splice,fallocate {f}/state/spool* EIO,EINTR,ENOSPC 0.02
read,pread,write,pwrite,splice {f}/state/spool* short 0.02
open,create,stat,fsync,opendir,unlink,rename {f}/state/spool* EIO,EINTR,EMFILE 0.01
open,create {f}/state/state* EIO,EMFILE,EINTR 0.003
pread,read {f}/state/state* EIO,EINTR,short 0.003
pwrite,write {f}/state/state* EIO,ENOSPC,EINTR,short 0.005
fsync,fdatasync {f}/state/state* EIO,EINTR,ENOSPC 0.005
ftruncate,fallocate {f}/state/state* EIO,EINTR,ENOSPC 0.005
lock {f}/state/* EINTR,ENOLCK,EAGAIN 0.001
unlock {f}/state/* EIO,ENOLCK 0.0003
mmap {f}/state/* ENOMEM 0.003
stat,access {f}/state/state* EIO,EINTR 0.002
unlink,rename,mkdir {f}/state/state* EIO,ENOSPC 0.005

open {f}/wire EIO,EMFILE,EINTR 0.05
stat {f}/wire EIO,EINTR 0.02
read,splice,tee {f}/wire EINTR,EAGAIN,ENOMEM,short 0.03
"""

#: Allowed exit statuses of the daemon: failures of the machine, not errors of its own.
ALLOWED = {66, 73, 74, 75}
#: Maximum number of lines that wait for their answers.
MOST_WAITING = 3000
#: Maximum seconds of a start on a busy machine.
MOST_STARTING = 600


class Counters:
    """The counters of `faults.c`, in shared memory."""

    CELL = struct.Struct("16s16sQ")

    def __init__(self, path):
        self.path = path
        self.size = 64 + 26 * 18 * self.CELL.size
        with open(path, "wb") as file:
            file.truncate(self.size)
        self.file = open(path, "r+b")
        self.memory = mmap.mmap(self.file.fileno(), self.size)

    def switch(self, is_on):
        self.memory[0:8] = struct.pack("<Q", 1 if is_on else 0)

    def read(self):
        """The counts, by call and outcome."""
        found = collections.Counter()
        for call, outcome, count in self.CELL.iter_unpack(self.memory[64:self.size]):
            if count:
                found[call.rstrip(b"\0").decode(), outcome.rstrip(b"\0").decode()] = count
        return found

    def close(self):
        self.memory.close()
        self.file.close()


def health(case):
    """The status of /healthz; None without an answer."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(case.http)
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        return int(answer.split()[1])
    except (OSError, IndexError, ValueError):
        return None


class Round:
    """One flow under faults, from an empty directory to the count."""

    def __init__(self, options, library, kind, seed):
        self.options = options
        self.library = library
        self.seed = seed
        self.chance = random.Random(seed)
        self.case = Case(options.binary, f"faults-{kind}", False)
        self.flow = Flow(self.case, kind, self.chance)
        self.counters = Counters(self.case.path("counters"))
        self.daemon = None
        self.born = 0.0
        self.starts = self.kills = 0
        self.ends = collections.Counter()
        self.restarts = 0
        self.failures = []
        self.rules = "\n".join(
            self._scaled(rule) for rule in RULES.format(f=self.case.folder).splitlines() if rule.strip())

    def _scaled(self, rule):
        calls, pattern, outcomes, rate = rule.split()
        chance, star, row = rate.partition("*")
        return f"{calls} {pattern} {outcomes} {float(chance) * self.options.rate:g}{star}{row}"

    # --- The process

    def start(self):
        self.starts += 1
        self.born = time.monotonic()
        self.unwell_since = None
        self.next_look = self.born + 2
        # A few are killed during their start; the others shortly after their first answers.
        self.next_kill = self.born + self.chance.uniform(0, 1) if self.chance.random() < 0.15 else None
        self.answered_at_start = self.flow.answered()
        self.daemon = self.case.launch(environment={
            "LD_PRELOAD": self.library, "FAULTS_RULES": self.rules, "FAULTS_SEED": str(self.seed * 1000 + self.starts),
            "FAULTS_COUNTERS": self.counters.path})

    def check_alive(self):
        """Starts the daemon if it doesn't run. False: it has ended with a status that isn't allowed."""
        if self.daemon is not None:
            status = self.daemon.process.poll()
            if status is None:
                return True
            self.ends[status] += 1
            if status not in ALLOWED:
                self.failures.append(f"the daemon ended by itself with {status}")
                return False
            time.sleep(0.05)
        self.start()
        return True

    def end(self, number):
        status, problem = end(self.daemon, number)
        if problem:
            self.failures.append(problem)
        return status

    def restart_if_unwell(self, seconds):
        """Restarts the daemon, as an operator would, if /healthz has reported an unhealthy daemon for `seconds`."""
        now = time.monotonic()
        if now < self.next_look:
            return
        self.next_look = now + 1
        # A daemon without a response is starting, or hangs: then no line is answered either.
        if health(self.case) in (200, None):
            self.unwell_since = None
        elif self.unwell_since is None:
            self.unwell_since = now
        elif now - self.unwell_since > seconds:
            self.restarts += 1
            self.daemon.kill()
            self.start()

    # --- The phases

    def run(self, seconds, wanted):
        """Runs under faults for `seconds` or until `wanted` faults were injected."""
        self.counters.switch(True)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and sum(self.counters.read().values()) < wanted:
            if not self.check_alive():
                return
            answered = self.flow.answered()
            if self.flow.written - answered < MOST_WAITING:
                self.flow.hand_over(self.chance.randrange(1, 400))
            if self.next_kill is None and answered > self.answered_at_start:
                self.next_kill = time.monotonic() + self.chance.uniform(0, 3)
            if self.options.kill and self.next_kill is not None and time.monotonic() > self.next_kill:
                self.kills += 1
                self.daemon.kill()
                self.start()
            self.restart_if_unwell(10)
            time.sleep(0.02)

    def finish(self):
        """Without faults: the remaining lines must be answered."""
        self.counters.switch(False)
        if not self.progress(lambda: self.flow.answered() >= self.flow.written, "the rest"):
            return
        last = self.flow.hand_over_last()
        if self.progress(lambda: self.flow.has(last), "the last line"):
            status = self.end(signal.SIGTERM)
            if status not in (0, None):
                self.failures.append(f"exit status {status} at the end")

    def progress(self, condition, what):
        """Waits for `condition()`; a failure if there is no progress for too long."""
        count, since = -1, time.monotonic()
        while not condition():
            if not self.check_alive():
                return False
            self.restart_if_unwell(15)
            now = self.flow.answered()
            # A start may take long on a busy machine, and isn't counted as lack of progress.
            is_starting = time.monotonic() - self.born < MOST_STARTING and health(self.case) is None
            if now != count or is_starting:
                count, since = now, time.monotonic()
            if time.monotonic() - since > self.options.patience:
                self.failures.append(
                    f"nothing goes on for {self.options.patience} s: {what}, {count} of {self.flow.written} answered, "
                    f"/healthz says {health(self.case)}")
                return False
            time.sleep(0.05)
        return True

    def count(self):
        """Starts once more without the library, so that the files are checked again; then counts."""
        if self.daemon.process.poll() is None:
            self.daemon.kill()
        self.daemon = self.case.launch()
        last = self.flow.hand_over_last()
        deadline = time.monotonic() + MOST_STARTING + self.options.patience
        while not self.flow.has(last) or self.flow.left_over():
            if self.daemon.process.poll() is not None:
                self.failures.append(f"the daemon without faults ended with {self.daemon.process.returncode}")
                break
            if time.monotonic() > deadline:
                self.failures.append(f"after a new start the last line isn't answered, or left: {self.flow.left_over()[:5]}")
                break
            time.sleep(0.02)
        if self.daemon.process.poll() is None and self.end(signal.SIGTERM) not in (0, None):
            self.failures.append("the last exit status isn't 0")
        tally = self.flow.tally()
        self.failures += tally.faults()
        return tally


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=os.path.abspath)
    parser.add_argument("--minutes", type=float, help="how long faults are injected; 1 where --faults isn't given")
    parser.add_argument("--faults", type=int, help="end after so many injected faults")
    parser.add_argument("--kill", action="store_true", help="SIGKILL at random moments besides")
    parser.add_argument("--mixed", action="store_true", help="every second round with --kill")
    parser.add_argument("--flow", choices=[*KINDS, "all"], default="all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--round", type=float, default=20, help="seconds of faults in one directory")
    parser.add_argument("--rate", type=float, default=1, help="a factor for all rates")
    parser.add_argument("--patience", type=float, default=180)
    parser.add_argument("--keep", action="store_true", help="go on after a round that failed")
    options = parser.parse_args()
    library = compile_library("faults")
    kinds = KINDS if options.flow == "all" else [options.flow]
    seconds = 60 * options.minutes if options.minutes else (60.0 if options.faults is None else 1e9)
    wanted = options.faults or 1 << 62
    injected = collections.Counter()
    ends = collections.Counter()
    total = collections.Counter()
    began = time.monotonic()
    spent = 0.0
    number = 0
    failed = False
    while spent < seconds and sum(injected.values()) < wanted and (not failed or options.keep):
        kind = kinds[number % len(kinds)]
        options.kill = options.kill or options.mixed
        if options.mixed:
            options.kill = number // len(kinds) % 2 == 1
        round_ = Round(options, library, kind, options.seed * 10_000 + number)
        start = time.monotonic()
        round_.run(min(options.round, seconds - spent), wanted - sum(injected.values()))
        spent += time.monotonic() - start
        if not round_.failures:
            round_.finish()
        tally = round_.count()
        found = round_.counters.read()
        injected += found
        ends += round_.ends
        total += collections.Counter(
            lines=tally.wanted, missing=len(tally.missing), doubled=len(tally.doubled), kills=round_.kills,
            starts=round_.starts, restarts=round_.restarts)
        print(f"{kind:9} seed {options.seed}.{number}{' kill' if options.kill else ''}: {sum(found.values())} faults, "
              f"{round_.kills} kills, {sum(round_.ends.values())} ends, {round_.restarts} restarts, {tally.wanted} lines: "
              f"{len(tally.missing)} missing, {len(tally.doubled)} doubled, {time.monotonic() - start:.0f} s", flush=True)
        for failure in round_.failures:
            print(f"    FAILED: {failure}", flush=True)
        if round_.failures:
            failed = True
            log = read(f"{round_.case.folder}/log").decode(errors="replace").splitlines()
            print(f"    left for a look: {round_.case.folder}; the end of the daemon's log:")
            print("".join(f"    | {text}\n" for text in log[-12:]), flush=True)
        round_.counters.close()
        round_.flow.close()
        round_.case.close(keep=bool(round_.failures))
        number += 1
    shutil.rmtree(os.path.dirname(library))
    by_call = collections.defaultdict(list)
    for (call, outcome), count in sorted(injected.items()):
        by_call[call].append(f"{outcome} {count}")
    print("injected:")
    for call, outcomes in by_call.items():
        print(f"    {call:13} {', '.join(outcomes)}")
    print(f"{sum(injected.values())} faults in {number} rounds, {total['starts']} starts, {total['kills']} kills, "
          f"ended by itself: {dict(ends)}, restarted as unwell: {total['restarts']}; {total['lines']} lines: "
          f"{total['missing']} missing, {total['doubled']} doubled; {time.monotonic() - began:.0f} s")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
