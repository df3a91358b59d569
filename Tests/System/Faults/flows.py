"""Shared parts of both drivers: the flows of lines through the daemon, and the count of its output."""
import fcntl
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from daemon_tests.harness import line, lines, read  # noqa: E402 (the path is set above)

KINDS = ["files", "tail", "move", "delete", "template", "spool"]


def compile_library(name):
    """Builds one of the preload libraries in a temporary folder; returns its path."""
    compiler = shutil.which("cc") or shutil.which("clang") or shutil.which("gcc")
    if compiler is None:
        sys.exit("a C compiler is needed for the preload library: apt-get install gcc")
    folder = tempfile.mkdtemp(prefix="understudy-preload.")
    path = f"{folder}/{name}.so"
    subprocess.run(
        [compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden", "-o", path,
         f"{HERE}/{name}.c", "-ldl"], check=True)
    return path


def end(daemon, number, seconds=300):
    """Sends the signal and waits for the end. Returns the exit status, and a problem or None: the daemon didn't end,
    with the wait channel of each thread."""
    daemon.signal(number)
    try:
        return daemon.process.wait(timeout=seconds), None
    except subprocess.TimeoutExpired:
        threads = []
        for task in sorted(glob.glob(f"/proc/{daemon.pid}/task/*")):
            words = [read(f"{task}/{name}").decode(errors="replace").split() for name in ("comm", "wchan", "syscall")]
            threads.append(" ".join(word for part in words for word in part[:1]))
        daemon.kill()
        return None, f"signal {number} doesn't end the daemon within {seconds} s; its threads: {', '.join(threads)}"


class Tally:
    """Counts the records of each number, and reports errors as text."""

    def __init__(self, wanted):
        self.wanted = wanted
        self.counts = [0] * wanted
        self.strange = []
        self.torn = []

    def add(self, path):
        data = read(path)
        if data and not data.endswith(b"\n"):
            self.torn.append(f"{path}: the last line has no end")
        for text in data.splitlines():
            try:
                number = int(json.loads(text)["text"][:8])
            except (ValueError, KeyError, TypeError):
                self.torn.append(f"{path}: {text[:80]!r}")
                continue
            if 0 <= number < self.wanted:
                self.counts[number] += 1
            else:
                self.strange.append(number)

    @property
    def missing(self):
        return [number for number, count in enumerate(self.counts) if count == 0]

    @property
    def doubled(self):
        return [number for number, count in enumerate(self.counts) if count > 1]

    def faults(self):
        """One sentence for each kind of error."""
        found = []
        for name, numbers in (("missing", self.missing), ("doubled", self.doubled), ("never written", self.strange)):
            if numbers:
                found.append(f"{len(numbers)} lines {name}, of {self.wanted}: {numbers[:5]}…{numbers[-1]}")
        if self.torn:
            found.append(f"{len(self.torn)} damaged records, the first {self.torn[0]}")
        return found


class Flow:
    """Numbered lines that are written to a source of one kind and read from file sinks."""

    def __init__(self, case, kind, chance, commit_milliseconds=20, is_aged=False):
        self.case = case
        self.kind = kind
        self.chance = chance
        #: Whether files get a modification time of an hour ago, so that a start doesn't wait for their writers.
        self.is_aged = is_aged
        self.written = 0
        #: The files written: content by inode, and the inode of each path.
        self.contents = {}
        self.places = {}
        self.files = 0
        self.wire = None
        self.known = {}
        if kind == "spool":
            source = case.fifo(spool=True)
            os.mkfifo(case.path("wire"))
            # Held open, so that its content survives a kill; large enough for the lines that may wait for answers while
            # no daemon runs.
            self.wire = os.open(case.path("wire"), os.O_RDWR)
            fcntl.fcntl(self.wire, fcntl.F_SETPIPE_SZ, 1 << 20)
        elif kind == "tail":
            source = case.directory("tail", poll_seconds=1)
        elif kind == "move":
            os.mkdir(case.path("done"))
            source = case.directory(after="move", done_directory=case.path("done"), poll_seconds=1)
        else:
            source = case.directory(after="delete" if kind == "delete" else "keep", poll_seconds=1)
        sink = case.file_sink(path="out/{source}/{label}.jsonl") if kind == "template" else case.file_sink()
        case.settings["state"]["commit_interval_milliseconds"] = commit_milliseconds
        case.settings["log"]["level"] = "notice"
        case.write_config(sources=[source], sinks=[sink])

    def close(self):
        if self.wire is not None:
            os.close(self.wire)

    # --- Into the daemon

    def hand_over(self, count):
        """Writes the next `count` lines to the source."""
        data = lines(self.written, self.written + count)
        self.written += count
        if self.kind == "spool":
            while data:
                data = data[os.write(self.wire, data[:self.chance.randrange(1, 4000)]):]
        elif self.kind == "tail":
            self._grow(data)
        else:
            self._deliver(data)
        self.files += 1

    def _deliver(self, data):
        name = f"{self.files:06d}.txt"
        hidden = self.case.path(f"in/.{name}")
        with open(hidden, "wb") as file:
            file.write(data)
        if self.is_aged:
            age = time.time() - 3600 + self.files / 100
            os.utime(hidden, (age, age))
        inode = os.stat(hidden).st_ino
        self.contents[inode] = data
        self.places[self.case.path(f"in/{name}")] = inode
        os.rename(hidden, self.case.path(f"in/{name}"))

    def _grow(self, data):
        log = self.case.path("in/feed.log")
        if self.files % 10 == 9:
            rotated = f"{log}.{self.files:06d}"
            os.rename(log, rotated)
            self.places[rotated] = self.places.pop(log)
        with open(log, "ab") as file:
            inode = os.fstat(file.fileno()).st_ino
            self.places[log] = inode
            self.contents[inode] = self.contents.get(inode, b"") + data
            while data:  # pieces that end anywhere, even inside characters
                piece = self.chance.randrange(1, 4000)
                file.write(data[:piece])
                file.flush()
                data = data[piece:]

    def remember(self):
        """The state that `recall` restores."""
        return self.written, self.files, dict(self.contents), dict(self.places)

    def recall(self, remembered):
        """Restores the state of `remember`; the caller restores the files."""
        self.written, self.files, contents, places = remembered
        self.contents, self.places = dict(contents), dict(places)
        self.known = {}

    def hand_over_last(self):
        """Writes one more line: once it is answered, everything read before it is answered too."""
        self.hand_over(1)
        return self.written - 1

    # --- Out of the daemon

    def outputs(self):
        return sorted(glob.glob(self.case.path("out") + "/**/*.jsonl", recursive=True))

    def answered(self):
        """The number of records in the sinks; only new data is read."""
        total = 0
        for path in self.outputs():
            size, count = self.known.get(path, (0, 0))
            try:
                with open(path, "rb") as file:
                    if os.fstat(file.fileno()).st_size < size:
                        size, count = 0, 0
                    file.seek(size)
                    data = file.read()
            except FileNotFoundError:
                continue
            self.known[path] = (size + len(data), count + data.count(b"\n"))
            total += self.known[path][1]
        return total

    def has(self, number):
        """Whether the line with this number is among the latest answers."""
        text = line(number)[:9]
        for path in self.outputs():
            try:
                with open(path, "rb") as file:
                    file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
                    if text in file.read():
                        return True
            except FileNotFoundError:
                pass
        return False

    def tally(self):
        tally = Tally(self.written)
        for path in self.outputs():
            tally.add(path)
        return tally

    def left_over(self):
        """Files that should have been moved or deleted."""
        if self.kind not in ("move", "delete"):
            return []
        return sorted(name for name in os.listdir(self.case.path("in")) if not name.startswith("."))
