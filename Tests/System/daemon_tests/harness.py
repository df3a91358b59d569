"""What the tests of the daemon stand on: a case with its directory and configuration, and the daemon as a process."""
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

ROOT = os.path.abspath(f"{os.path.dirname(os.path.abspath(__file__))}/../../..")
STUDENT = f"{ROOT}/share/models/student"
TEACHER = f"{ROOT}/share/models/teacher"
TEXTS = [line.rstrip("\n").split("\t")[1] for line in open(f"{ROOT}/share/sample/headlines.tsv", encoding="utf-8")]
#: Seconds that anything may take: far more than the slowest machine needs, so that only a fault exceeds them.
PATIENCE = 300

TESTS = []


class Failed(AssertionError):
    """A test's verdict, in one sentence."""


class Skipped(unittest.SkipTest):
    """Why a test can't be run here."""


def test(rows):
    """Registers a function as a test of these rows of the list of pitfalls; its name becomes the test's."""
    def register(function):
        function.rows = rows
        function.title = function.__name__.replace("_", "-")
        TESTS.append(function)
        return function
    return register


def need(holds, message):
    if not holds:
        raise Failed(message)


def need_root():
    if os.geteuid() != 0:
        raise Skipped("only root may do this")


def wait(condition, what, seconds=PATIENCE):
    """Waits until `condition()` is true, and gives what it gave."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"waited {seconds} s in vain: {what}")
        time.sleep(0.02)


def line(number):
    """A line that can be told from all others, ended by a newline."""
    return f"{number:08d} {TEXTS[number % len(TEXTS)]}\n".encode()


def lines(first, end):
    return b"".join(line(number) for number in range(first, end))


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def append(path, data):
    with open(path, "ab") as file:
        file.write(data)


def deliver(path, data):
    """Write, then rename, as a source of whole files wants it."""
    folder, name = os.path.split(path)
    with open(f"{folder}/.{name}", "wb") as file:
        file.write(data)
    os.rename(f"{folder}/.{name}", path)


def answers(*paths):
    """The answers in these files, as JSON objects."""
    return [json.loads(text) for path in paths for text in read(path).decode().splitlines()]


def numbers(*paths):
    return [int(answer["text"][:8]) for answer in answers(*paths)]


def count(*paths):
    return sum(read(path).count(b"\n") for path in paths)


def need_once(found, wanted):
    """Each number of `wanted` exactly once in `found`, and no other."""
    found, wanted = list(found), list(wanted)
    seen = set(found)
    missing = [number for number in wanted if number not in seen]
    strange = seen - set(wanted)
    need(not missing, f"{len(missing)} lines of {len(wanted)} are missing, the first of them {missing[:5]}")
    need(not strange, f"lines that nobody wrote: {sorted(strange)[:5]}")
    need(len(found) == len(seen), f"{len(found) - len(seen)} lines came twice")


class Daemon:
    """The process."""

    def __init__(self, case, command, environment, stdin, stdout):
        self.case = case
        self.log_path = f"{case.folder}/log"
        self.log_start = len(read(self.log_path))
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=stdin, stdout=stdout, stderr=log, env=dict(os.environ, **environment))

    @property
    def pid(self):
        return self.process.pid

    @property
    def log(self):
        """What this run has logged."""
        return read(self.log_path)[self.log_start:].decode()

    def count_log(self, text):
        return self.log.count(text)

    def wait_log(self, text, times=1, seconds=PATIENCE):
        wait(lambda: self.log.count(text) >= times or self.process.poll() is not None, f"'{text}' in the log", seconds)
        need(self.log.count(text) >= times, f"the daemon ended with {self.process.poll()} before it logged '{text}'")

    def wait_ready(self):
        self.wait_log(" ready sinks=")
        return self

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self, text, seconds=PATIENCE):
        """SIGHUP, and waits until the log says `text` once more."""
        before = self.log.count(text)
        self.signal(signal.SIGHUP)
        self.wait_log(text, before + 1, seconds)

    def wait_exit(self, status=0, seconds=PATIENCE):
        try:
            found = self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"the daemon doesn't end within {seconds} s")
        need(found == status, f"exit status {found}, expected {status}")

    def stop(self, status=0):
        self.signal(signal.SIGTERM)
        self.wait_exit(status)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def get(self, path):
        """Status code and body from the case's HTTP socket."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(self.case.http)
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), body.decode()

    def wait_committed(self):
        """Waits until everything that has been answered is durable."""
        wait(lambda: self.metric("understudy_uncommitted_records") == 0, "everything is committed")

    def metric(self, name):
        """The value of a metric, labels included: `understudy_commits_total{result="ok"}`."""
        for text in self.get("/metrics")[1].splitlines():
            if text.startswith(name + " "):
                return float(text.rsplit(" ", 1)[1])
        raise Failed(f"there is no metric {name}")

    def ticks(self):
        """CPU time in clock ticks."""
        fields = read(f"/proc/{self.pid}/stat").decode().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def resident_kilobytes(self):
        return int(re.search(r"VmRSS:\s+(\d+)", read(f"/proc/{self.pid}/status").decode()).group(1))

    def descriptors(self):
        """What the open descriptors lead to."""
        found = []
        for name in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                found.append(os.readlink(f"/proc/{self.pid}/fd/{name}"))
            except FileNotFoundError:
                pass
        return found


def most_sayings(began):
    """How often something may have been logged since `began` that is logged twice a minute at most."""
    return 2 * (1 + int((time.monotonic() - began) / 60))


class Case:
    """One test's directory, configuration and daemons; all ends with it."""

    def __init__(self, binary, name, is_long):
        self.binary = binary
        self.is_long = is_long
        self.chance = random.Random(name)
        self.folder = tempfile.mkdtemp(prefix=f"understudy-{name}.")
        self.config = f"{self.folder}/understudy.yaml"
        self.http = f"{self.folder}/http.sock"
        self.out = f"{self.folder}/out/answers.jsonl"
        self.daemons = []
        self.mounts = []
        self.note = ""
        for directory in ("in", "out", "state"):
            os.mkdir(f"{self.folder}/{directory}")
        self.settings = {
            "models": {"student": STUDENT},
            "sources": [],
            "sinks": [self.file_sink()],
            "state": {"directory": f"{self.folder}/state", "commit_interval_milliseconds": 50},
            "http": {"listen": f"unix:{self.http}"},
            "log": {"level": "info"},
            # Longer than any drain takes, and over before the test's patience is.
            "shutdown": {"drain_seconds": PATIENCE - 60},
        }

    def path(self, name):
        return f"{self.folder}/{name}"

    def directory(self, mode="files", name="drops", path="in", **options):
        return dict(name=name, kind="directory", path=self.path(path), mode=mode, **options)

    def fifo(self, name="wire", path="wire", **options):
        return dict(name=name, kind="fifo", path=self.path(path), **options)

    def file_sink(self, name="answers", path="out/answers.jsonl", **options):
        return dict(name=name, kind="file", path=self.path(path), **options)

    def write_config(self, **changes):
        """Writes the settings, with `changes` kept in them; a value of None takes a block out."""
        self.settings.update(changes)
        settings = {name: value for name, value in self.settings.items() if value is not None}
        with open(self.config + ".new", "w", encoding="utf-8") as file:
            json.dump(settings, file, ensure_ascii=False)  # YAML holds JSON
        os.rename(self.config + ".new", self.config)

    def write_broken_config(self):
        with open(self.config + ".new", "w", encoding="utf-8") as file:
            file.write("sources: [\n")
        os.rename(self.config + ".new", self.config)

    def launch(self, prefix=(), environment=None, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **changes):
        """Starts the daemon and doesn't wait. `prefix` is a command that runs it."""
        if changes or not os.path.exists(self.config):
            self.write_config(**changes)
        daemon = Daemon(
            self, [*prefix, self.binary, "run", "--config", self.config], environment or {}, stdin, stdout)
        self.daemons.append(daemon)
        return daemon

    def start(self, **options):
        return self.launch(**options).wait_ready()

    def run(self, *arguments, prefix=(), environment=None):
        """Runs another verb to its end: status, standard output, standard error."""
        done = subprocess.run(
            [*prefix, self.binary, *arguments], capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL,
            env=dict(os.environ, **(environment or {})))
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def refused(self, status, *texts, **options):
        """A start that must fail with this status and say these texts."""
        daemon = self.launch(**options)
        daemon.wait_exit(status)
        for text in texts:
            need(text in daemon.log, f"the refusal doesn't say '{text}': {daemon.log[-500:]}")
        return daemon.log

    def wait_count(self, wanted, *paths, seconds=PATIENCE):
        paths = paths or (self.out,)
        try:
            wait(lambda: count(*paths) >= wanted, "", seconds)
        except Failed:
            raise Failed(f"{count(*paths)} answers of {wanted} within {seconds} s")

    def small_disk(self, name, bytes_):
        """A tmpfs of this size, mounted in this process's own mount namespace."""
        path = self.path(name)
        os.makedirs(path, exist_ok=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={bytes_}", "tmpfs", path], capture_output=True, check=False)
        if done.returncode:
            raise Skipped(f"a tmpfs can't be mounted: {done.stderr.decode().strip()}")
        self.mounts.append(path)
        return path

    def feed(self, function, *arguments):
        """Runs `function` in a thread; gives the thread."""
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        thread.start()
        return thread

    def close(self, keep=False):
        for daemon in self.daemons:
            if daemon.process.poll() is None:
                daemon.process.send_signal(signal.SIGCONT)
                daemon.process.kill()
                daemon.process.wait()
        for path in self.mounts:
            subprocess.run(["umount", "-l", path], check=False)
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)
