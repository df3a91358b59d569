"""What hands do: Ctrl-C in the filter, files that may not be read, a configuration that is being edited, a fresh install."""
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import termios
import time

from .harness import PATIENCE, ROOT, STUDENT, TEXTS, Skipped, line, lines, need, need_root, read, test, wait

#: What the filter's documents promise: so many lines, and what one read of so many bytes holds, are read ahead.
LINES_AHEAD = 8192
READ_BYTES = 65_536


class Filter:
    """`understudy classify` with a terminal as its standard error, a file as input and a pipe as output that isn't read
    at first: so the filter reads ahead as far as it ever does, however fast the machine is."""

    PIPE_BYTES = 65_536

    def __init__(self, case, total, *options):
        input_ = case.path("input")
        with open(input_, "wb") as file:
            file.write(lines(0, total))
        self.shortest = min(len(line(number)) for number in range(len(TEXTS)))
        self.terminal, screen = pty.openpty()
        self.pipe, sink = os.pipe()
        with open(input_, "rb") as source:
            self.process = subprocess.Popen(
                [case.binary, "classify", "--threads", "2", "--format", "tsv", *options], stdin=source, stdout=sink,
                stderr=screen, start_new_session=True, env=dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8"),
                preexec_fn=lambda: fcntl.ioctl(2, termios.TIOCSCTTY, 0))
        os.close(screen)
        os.close(sink)
        case.daemons.append(self)  # so that it ends with the case
        self.shown = ""
        self.written = b""

    @property
    def most(self):
        """Lines that may be read before the pipe is: those that it holds, and those that are read ahead."""
        return self.PIPE_BYTES // self.shortest + LINES_AHEAD + READ_BYTES // self.shortest + 1

    def position(self):
        """Bytes of the input that were read."""
        return int(re.search(r"pos:\s+(\d+)", read(f"/proc/{self.process.pid}/fdinfo/0").decode()).group(1))

    def wait_stall(self):
        """Waits until no more is read."""
        seen = [-1]

        def stands_still():
            seen.append(self.position())
            time.sleep(0.5)
            return seen[-1] > 0 and self.position() == seen[-1]

        wait(stands_still, "reading that stops by itself", seconds=600)
        need(self.process.poll() is None, f"it ended with {self.process.poll()}: {self.look()}")

    def type(self, keys):
        os.write(self.terminal, keys)

    def look(self):
        """What the terminal has shown by now."""
        while select.select([self.terminal], [], [], 0)[0]:
            try:
                piece = os.read(self.terminal, 65536)
            except OSError:  # the last one who had it open has gone
                break
            if not piece:
                break
            self.shown += piece.decode()
        return self.shown

    def interrupt(self):
        """Ctrl-C; the number of lines that the terminal says are finished."""
        self.type(b"\x03")
        wait(lambda: "a second Ctrl-C ends at once" in self.look() or self.process.poll() is not None,
             "the farewell on the terminal", seconds=600)
        said = re.search(r"interrupted: finishing the ([\d,]+) lines that were read", self.look())
        need(said, f"the number of lines isn't said: {self.look()[-500:]!r}")
        return int(said.group(1).replace(",", ""))

    def wait_end(self):
        """Reads the pipe to its end; the numbers of the lines answered, and the exit status."""
        while True:
            ready = select.select([self.pipe], [], [], 0.1)[0]
            self.look()
            if ready:
                piece = os.read(self.pipe, 65536)
                if not piece:
                    break
                self.written += piece
        self.process.wait(timeout=600)
        self.look()
        whole = self.written.rpartition(b"\n")[0]
        return [int(number) for number in re.findall(rb"(?:^|\t)(\d{8}) ", whole, re.M)], self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


SAME_PAIR = ("--student", STUDENT, "--teacher", STUDENT, "--defer-below", "1")


@test("hands")
def interrupted_filter(case):
    """Ctrl-C in the filter: it says how many lines it finishes, finishes no more than promised, and dies of SIGINT."""
    total = 80_000
    filter_ = Filter(case, total, *SAME_PAIR)
    filter_.wait_stall()
    bytes_read = filter_.position()
    lines_read = lines(0, total)[:bytes_read].count(b"\n")
    need(lines_read <= filter_.most, f"{lines_read} lines were read, {filter_.most} are promised")
    said = filter_.interrupt()
    found, status = filter_.wait_end()
    need(status == -signal.SIGINT, f"it ended with {status} and not by SIGINT")
    need(found == list(range(len(found))), f"the answers aren't those of the input's first lines: {found[:5]}")
    need(len(found) == lines_read, f"{len(found)} lines were answered, {lines_read} had been read")
    need(said <= lines_read, f"{said} lines were said to be finished, {lines_read} had been read")
    need(said >= lines_read - filter_.PIPE_BYTES // filter_.shortest, f"only {said} of {lines_read} lines were said")
    need(re.search(r"classify  [\d,]+ lines  100\.0 % deferred  [\d,.]+ lines/s", filter_.shown),
         f"no progress was shown: {filter_.shown[:500]!r}")
    case.note = f"{lines_read} lines read, {said} finished after Ctrl-C"


@test("hands")
def second_interrupt(case):
    """A second Ctrl-C ends the filter at once, before its lines are finished."""
    filter_ = Filter(case, 80_000, *SAME_PAIR)
    filter_.wait_stall()
    said = filter_.interrupt()
    filter_.type(b"\x03")
    # Before the pipe is read: what was to be finished can't be.
    wait(lambda: filter_.process.poll() is not None, "the end", seconds=600)
    found, status = filter_.wait_end()
    need(status == -signal.SIGINT, f"it ended with {status} and not by SIGINT")
    need(found == list(range(len(found))), "the answers aren't those of the input's first lines")
    case.note = f"{said} lines were under way, {len(found)} answered"


@test("hands")
def quiet_without_a_terminal(case):
    """Where standard error is no terminal no progress is written to it; lines are answered while the input pauses."""
    process = subprocess.Popen(
        [case.binary, "classify", "--threads", "2", "--format", "tsv", *SAME_PAIR], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(lines(0, 2000) + b"half")
    process.stdin.flush()
    answered = b"".join(process.stdout.readline() for _ in range(2000))
    need(answered.count(b"\n") == 2000, f"not all lines were answered while the input pauses: {process.poll()}")
    process.send_signal(signal.SIGTERM)
    errors = process.stderr.read()
    process.wait(timeout=600)
    need(process.returncode == -signal.SIGTERM, f"it ended with {process.returncode}: {errors.decode()}")
    need(errors == b"stopped in the middle of a line: 4 bytes without a line end got no answer\n",
         f"standard error: {errors.decode()!r}")


@test("hands")
def interrupted_script(case):
    """A shell script stops when its filter is interrupted: what comes after the filter isn't run."""
    os.mkfifo(case.path("feed"))
    done = case.path("done")
    process = subprocess.Popen(
        ["bash", "-c", f'"$0" classify --no-teacher <"$1" >/dev/null; echo went on >{done}', case.binary,
         case.path("feed")], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    feed = os.open(case.path("feed"), os.O_WRONLY)
    os.write(feed, line(0))

    def filter_reads():
        found = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, check=False).stdout.split()
        if not found:
            return False
        status = read(f"/proc/{int(found[0])}/status").decode()
        blocked = re.search(r"SigBlk:\s+([0-9a-f]+)", status)
        return blocked and int(blocked.group(1), 16) & (1 << (signal.SIGINT - 1))

    wait(filter_reads, "the filter")
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    os.close(feed)
    need(process.returncode == -signal.SIGINT, f"the script ended with {process.returncode}: {errors.decode()}")
    need(not os.path.exists(done), "the script went on behind the interrupted filter")


@test("hands")
def permission_denied(case):
    """As another user: what is there and may not be read is said to be denied, 77, and never to be missing."""
    need_root()
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    os.chmod(case.folder, 0o755)
    if subprocess.run([*nobody, "test", "-r", f"{STUDENT}/config.json", "-a", "-x", case.binary],
                      check=False).returncode:
        raise Skipped("another user can't reach the program or the models here")
    for name in ("secret", "mine"):
        os.mkdir(case.path(name))
    for name in ("mine", "state", "out"):
        os.chown(case.path(name), 65534, 65534)
    secret = case.path("secret")
    shutil.copytree(STUDENT, f"{secret}/student")
    shutil.copytree(STUDENT, case.path("closed"))
    os.chmod(case.path("closed/model.safetensors"), 0)
    shutil.copytree(STUDENT, case.path("half"))
    os.chmod(case.path("half/tokenizer.json"), 0)
    with open(f"{secret}/state.sqlite", "wb") as file:
        file.write(b"")
    with open(f"{secret}/lines.jsonl", "wb") as file:
        file.write(b'{"text":"a","label":"b"}\n')
    os.mkdir(f"{secret}/students")
    os.symlink("v1", f"{secret}/students/current")
    os.mkfifo(case.path("wire"), 0o600)
    with open(case.path("unreadable.yaml"), "wb") as file:
        file.write(b"http: {listen: 'unix:/x'}\n")
    os.chmod(case.path("unreadable.yaml"), 0)
    os.chmod(secret, 0o700)
    case.settings.pop("http")

    def config(name, **changes):
        path = case.path(f"{name}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(dict(case.settings, sources=[case.directory()], **changes), file)
        return path

    loop = {"train": f"{secret}/lines.jsonl", "holdout": f"{secret}/held.jsonl", "registry": f"{secret}/students"}
    registry = config("registry", redistill=loop)
    state = config("state-secret", state={"directory": secret},
                   models={"student": STUDENT, "teacher": f"{ROOT}/share/models/teacher"},
                   redistill=dict(loop, registry=case.path("mine")))
    model = config("model", models={"student": f"{secret}/student"})
    cases = [
        ("a model in a closed directory", ["classify", "--student", f"{secret}/student"]),
        ("closed weights", ["classify", "--student", case.path("closed")]),
        ("a closed tokenizer", ["classify", "--student", case.path("half")]),
        ("a closed teacher", ["classify", "--student", STUDENT, "--teacher", case.path("closed")]),
        ("a tokenizer in a closed directory", ["tokenize", "--model", f"{secret}/student"]),
        ("closed data", ["evaluate", "--student", STUDENT, "--data", f"{secret}/lines.jsonl"]),
        ("a closed registry", ["models", "list", "--config", registry]),
        ("a closed registry's student", ["models", "show", "--config", registry]),
        ("a closed state", ["disagreements", "list", "--state", secret]),
        ("a closed state of a run", ["redistill", "--config", state, "--dry-run"]),
        ("labels in a closed directory", ["disagreements", "label", "--state", case.path("mine"), "--from",
                                          f"{secret}/lines.jsonl"]),
        ("a closed configuration", ["status", "--config", case.path("unreadable.yaml")]),
        ("a closed configuration of a daemon", ["run", "--config", case.path("unreadable.yaml")]),
        ("a daemon's closed model", ["run", "--config", model]),
        # Not the student that serves without one: this user can't tell whether there is a promoted one.
        ("a daemon's closed registry", ["run", "--config", registry]),
        ("a daemon's closed source", ["run", "--config", "SOURCE"]),
        ("a daemon's closed FIFO", ["run", "--config", "FIFO"]),
    ]
    for name, source in (("SOURCE", case.directory(path="secret")), ("FIFO", case.fifo())):
        path = case.path(f"{name}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(dict(case.settings, sources=[source]), file)
        for _, arguments in cases:
            if arguments[-1] == name:
                arguments[-1] = path
    wrong = []
    for what, arguments in cases:
        status, output, errors = case.run(*arguments, prefix=nobody)
        if status != 77 or "ermission denied" not in errors or output:
            wrong.append(f"{what}: {status}, {errors.strip()!r}{output!r}")
    need(not wrong, "; ".join(wrong))
    status, _, errors = case.run("check", "--config", model, prefix=nobody)
    need(status == 78 and "ermission denied" in errors, f"check: {status}, {errors}")
    case.note = f"{len(cases)} cases"


@test("hands")
def broken_configuration(case):
    """While the file is broken, status finds the daemon, the log names the place, and a gauge tells of it."""
    daemon = case.start(sources=[case.fifo()])
    need("ready, student student, no teacher, 1 source, 1 sink" in daemon.log, f"the start: {daemon.log}")
    gauge = "understudy_last_reload_successful"
    need(daemon.metric(gauge) == 1, "the gauge at the start")
    began = daemon.metric(gauge.replace("successful", "success_timestamp_seconds"))
    good = read(case.config)
    broken = f"http: {{listen: 'unix:{case.http}'}}\nlog: {{level: loud}}\nsources: [\n"
    wrong = json.dumps(dict(case.settings, sauces=[], sources=[case.fifo(kind_="x")]))
    for text, place in ((broken, ":4:1: "), (wrong, ":1:")):
        with open(case.config, "w", encoding="utf-8") as file:
            file.write(text)
        status, output, errors = case.run("status", "--config", case.config)
        need(status == 0 and "student" in output, f"status: {status}, {errors}")
        need(errors.count("\n") == 1 and errors.startswith(f"warning: {case.config}{place}"), f"status says: {errors}")
        status, _, errors = case.run("models", "list", "--config", case.config)
        need(status == 0 and errors.startswith("warning: "), f"models list: {status}, {errors}")
        daemon.reload(f"reload refused: {case.config}{place}")
        need(daemon.metric(gauge) == 0, "the gauge after a refusal")
    need("more; see" in daemon.log, f"the number of other errors isn't said: {daemon.log}")
    with open(case.config, "wb") as file:
        file.write(good)
    daemon.reload(" reloaded: student student, no teacher, 1 source, 1 sink")
    need(daemon.metric(gauge) == 1, "the gauge after a good reload")
    need(daemon.metric(gauge.replace("successful", "success_timestamp_seconds")) >= began, "the time of it")
    need(re.search(r'understudy_model_info\{role="student",version="student",fingerprint="[0-9a-f]{12}"\} 1',
                   daemon.get("/metrics")[1]), "the student's fingerprint")
    daemon.stop()


@test("hands")
def fresh_install(case):
    """check passes on what `make install` puts there, before the first start and for any user."""
    need_root()
    if not shutil.which("make") or not shutil.which("unshare"):
        raise Skipped("make or unshare isn't here")
    stage = tempfile.mkdtemp(prefix="stage.", dir=case.folder)
    done = subprocess.run(
        ["make", "-s", "install", f"DESTDIR={stage}", "PREFIX=/usr", f"INSTALL_BINARY={case.binary}"], cwd=ROOT,
        capture_output=True, check=False)
    need(done.returncode == 0, f"make install: {done.stderr.decode()}")
    os.chmod(case.folder, 0o755)
    os.chmod(stage, 0o755)
    binary, config = f"{stage}/usr/bin/understudy", f"{stage}/etc/understudy/understudy.yaml"
    empty = "for place in /run /var/lib /var/log /var/spool; do mount -t tmpfs -o mode=755 tmpfs $place; done; "

    def check(file, before="", user=()):
        command = [*user, binary, "check", "--config", file]
        words = " ".join(f"'{word}'" for word in command)
        done = subprocess.run(["unshare", "-m", "bash", "-ec", f"{empty}{before}{words}"], capture_output=True,
                              timeout=600, check=False)
        return done.returncode, done.stderr.decode()

    nobody = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    users = [()] if subprocess.run([*nobody, "test", "-x", binary], check=False).returncode else [(), nobody]
    for user in users:
        status, errors = check(config, user=user)
        need(status == 0 and "the daemon can start with this" in errors, f"{user}: {status}, {errors}")
        need("error:" not in errors and "note: /var/spool/understudy" in errors, f"{user}: {errors}")
        need("note: /run/understudy/wire" in errors and "note: /var/log/understudy" in errors, f"{user}: {errors}")
    # As after the units' first start: nothing to note.
    made = "mkdir -p /run/understudy /var/lib/understudy /var/log/understudy /var/spool/understudy; "
    status, errors = check(config, made)
    need(status == 0 and "note:" not in errors, f"{status}, {errors}")
    # Places that no unit makes stay errors.
    other = case.path("other.yaml")
    with open(other, "w", encoding="utf-8") as file:
        file.write(read(config).decode().replace("/var/log/understudy/answers", "/var/log/elsewhere/answers"))
    status, errors = check(other)
    need(status == 78 and "error: /var/log/elsewhere" in errors, f"{status}, {errors}")
    if len(users) > 1:
        closed = "mkdir -p /var/log/understudy; chmod 700 /var/log/understudy; "
        status, errors = check(config, closed, nobody)
        need(status == 78 and "error: /var/log/understudy" in errors, f"{status}, {errors}")
    case.note = f"as {len(users)} users"
