"""What the daemon believes about its output files and its state: replaced, edited, torn, shared, deleted, without room."""
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time

from .harness import (
    Skipped, answers, append, count, lines, need, need_once, numbers, read, test, wait)

#: What fails with EIO or ENOSPC while the file `$BELIEFS_FAULTS/NAME` is there; it names the path's end.
FAULTS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int applies(const char *name, int descriptor) {
    const char *folder = getenv("BELIEFS_FAULTS");
    char path[4096], link[64], target[4096], wanted[256];
    if (!folder) return 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t length = read(file, wanted, sizeof wanted - 1);
    close(file);
    if (length <= 0) return 0;
    wanted[length] = 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t count = readlink(link, target, sizeof target - 1);
    if (count < length) return 0;
    target[count] = 0;
    return strcmp(target + count - length, wanted) == 0;
}

static void once(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", getenv("BELIEFS_FAULTS"), name);
    unlink(path);
}

int fdatasync(int descriptor) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
    if (applies("nospace", descriptor)) { errno = ENOSPC; return -1; }
    if (applies("eio", descriptor)) { errno = EIO; return -1; }
    return real(descriptor);
}

static int lock(const char *symbol, int descriptor, int command, void *argument) {
    int (*real)(int, int, ...) = dlsym(RTLD_NEXT, symbol);
    if (command == F_SETLK && ((struct flock *)argument)->l_type == F_UNLCK && applies("unlock", descriptor)) {
        once("unlock");
        errno = EIO;
        return -1;
    }
    return real(descriptor, command, argument);
}

int fcntl(int descriptor, int command, ...) {
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    return lock("fcntl", descriptor, command, argument);
}

int fcntl64(int descriptor, int command, ...) {
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    return lock("fcntl64", descriptor, command, argument);
}
"""


class Faults:
    """A library that is loaded before the daemon and makes calls fail on demand."""

    def __init__(self, case):
        self.folder = case.path("faults")
        os.mkdir(self.folder)
        source, library = f"{self.folder}/faults.c", f"{self.folder}/faults.so"
        with open(source, "w", encoding="utf-8") as file:
            file.write(FAULTS)
        compiler = shutil.which("cc") or shutil.which("clang") or shutil.which("gcc")
        if not compiler:
            raise Skipped("there is no C compiler")
        done = subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], capture_output=True)
        if done.returncode:
            raise Skipped(f"the library can't be made: {done.stderr.decode()[-200:]}")
        self.environment = {"LD_PRELOAD": library, "BELIEFS_FAULTS": self.folder}

    def set(self, name, end):
        with open(f"{self.folder}/{name}.new", "w", encoding="utf-8") as file:
            file.write(end)
        os.rename(f"{self.folder}/{name}.new", f"{self.folder}/{name}")

    def clear(self, name):
        os.unlink(f"{self.folder}/{name}")

    def is_set(self, name):
        return os.path.exists(f"{self.folder}/{name}")


def feed(case, first, end):
    append(case.path("in/feed.log"), lines(first, end))


def aside(case):
    folder = case.path("state/set-aside")
    return b"".join(read(f"{folder}/{name}") for name in sorted(os.listdir(folder))) if os.path.isdir(folder) else b""


def whole(path):
    """The lines of a file; each must be a record or one of another program's, which begin with a '#'."""
    texts = read(path).decode().splitlines()
    records = [json.loads(text) for text in texts if not text.startswith("#")]
    need(read(path).endswith(b"\n"), "the last line has no end")
    return [int(record["text"][:8]) for record in records]


def replace(path, data):
    """Another file in the place of this one, with the same inode if the file system gives it again."""
    old = os.stat(path).st_ino
    os.unlink(path)
    for attempt in range(50):
        with open(path, "wb") as file:
            file.write(data)
        if os.stat(path).st_ino == old:
            return True
        os.rename(path, f"{path}.spare{attempt}")
    with open(path, "wb") as file:
        file.write(data)
    return False


@test("23")
def replaced_sink(case):
    """Another file in the sink's place, often with its inode, stays whole, after a stop and after a kill."""
    foreign = b"".join(b"# line %d of another program\n" % number for number in range(2000))
    feed(case, 0, 100)
    same = 0
    for turn, end in enumerate(["stop", "kill"]):
        daemon = case.start(sources=[case.directory("tail")])
        wait(lambda: count(case.out) >= 100 if turn == 0 else True, "answers")
        feed(case, 100 + turn * 100, 200 + turn * 100)
        wait(lambda: any(f"{199 + turn * 100:08d}" in text for text in [read(case.out).decode()]), "more answers")
        wait(lambda: daemon.metric("understudy_uncommitted_records") == 0, "a commit")
        getattr(daemon, end)()
        same += replace(case.out, foreign)
        daemon = case.start()
        feed(case, 1000 + turn * 100, 1100 + turn * 100)
        wait(lambda: f"{1099 + turn * 100:08d}" in read(case.out).decode(), "answers behind the other's lines")
        need(read(case.out).startswith(foreign), "the other program's lines were changed")
        need_once(whole(case.out), range(1000 + turn * 100, 1100 + turn * 100))
        need(daemon.count_log("replaced by another, which is left unchanged") == 1, "nothing was said")
        daemon.stop()
    need(not aside(case), "something was set aside")
    case.note = f"the same inode {same} times of 2"


@test("23")
def lines_appended_while_down(case):
    """Lines that others append after a stop or after a kill stay; the daemon's own are there once."""
    feed(case, 0, 100)
    daemon = case.start(sources=[case.directory("tail")])
    case.wait_count(100)
    wait(lambda: daemon.metric("understudy_uncommitted_records") == 0, "a commit")
    daemon.stop()
    copy = read(case.out).splitlines(keepends=True)[0]
    append(case.out, b"# by hand, after a stop\n" + copy.replace(b"00000000", b"77777777"))
    daemon = case.start()
    need(daemon.count_log("they stay") == 1, "nothing was said")
    kills = 20 if case.is_long else 6
    for turn in range(kills):
        feed(case, 100 + turn * 200, 300 + turn * 200)
        wait(lambda: count(case.out) > 102 + turn * 201 + case.chance.randrange(150), "some answers")
        daemon.kill()
        append(case.out, b"# by hand, after kill %d\n" % turn)
        daemon = case.start()
        case.wait_count(102 + 201 * (turn + 1))
    daemon.stop()
    text = read(case.out).decode()
    need(text.count("# by hand") == kills + 1, f"{text.count('# by hand')} of {kills + 1} lines by hand are left")
    need_once(whole(case.out), [*range(100 + kills * 200), 77777777])
    need(b"#" not in aside(case), "a line by hand was set aside")
    case.note = f"{kills} kills, {len(aside(case))} bytes set aside"


@test("23")
def torn_records(case):
    """A sink that is cut in the middle of a record, while the daemon runs and while it is down: lines stay whole."""
    feed(case, 0, 100)
    daemon = case.start(sources=[case.directory("tail")])
    case.wait_count(100)
    wait(lambda: daemon.metric("understudy_uncommitted_records") == 0, "a commit")
    daemon.stop()
    os.truncate(case.out, os.path.getsize(case.out) - 20)
    daemon = case.start()
    feed(case, 100, 200)
    case.wait_count(199)
    need_once(whole(case.out), [*range(99), *range(100, 200)])
    wait(lambda: daemon.metric("understudy_uncommitted_records") == 0, "a commit")
    os.truncate(case.out, os.path.getsize(case.out) - 20)
    feed(case, 200, 300)
    case.wait_count(298)
    daemon.stop()
    need_once(whole(case.out), [*range(99), *range(100, 199), *range(200, 300)])
    found = aside(case)
    need(found.count(b'{"id":') == 2 and b'00000099' in found and b'00000199' in found, f"set aside: {found!r}")
    said = daemon.count_log("ended in the middle of a record; its")
    need(said == 2, f"it was said {said} times")


@test("24")
def two_daemons_one_sink(case):
    """The second daemon on an output file is refused with 75 and told by whom; nothing of the first one's is cut."""
    feed(case, 0, 500)
    first = case.start(sources=[case.directory("tail")])
    case.wait_count(500)
    wait(lambda: first.metric("understudy_uncommitted_records") == 0, "a commit")
    other = {"directory": case.path("other-state"), "commit_interval_milliseconds": 50}
    state, http = case.settings["state"], case.settings["http"]
    case.refused(
        75, f"process {first.pid} has locked the file of sink answers", state=other,
        http={"listen": f"unix:{case.path('other.sock')}"}, sources=[case.fifo()])
    need(first.process.poll() is None, "the first one ended")
    first.kill()
    # The second may take the file over now, and leaves the first one's answers.
    second = case.start()
    second.kill()
    case.write_config(state=state, http=http, sources=[case.directory("tail")])
    feed(case, 500, 600)
    case.start()
    case.wait_count(600)
    case.daemons[-1].stop()
    need_once(numbers(case.out), range(600))


@test("24")
def deleted_sink(case):
    """An output file that is deleted while it is written to is noticed and made anew, with what wasn't committed."""
    daemon = case.start(sources=[case.directory("tail")])
    feed(case, 0, 100)
    case.wait_count(100)
    wait(lambda: daemon.metric("understudy_uncommitted_records") == 0, "a commit")
    os.unlink(case.out)
    feed(case, 100, 1100)
    case.wait_count(1000)
    need(daemon.count_log("was deleted while it was in use") == 1, "nothing was said")
    need(daemon.get("/healthz")[0] == 200, "not healthy")
    wait(lambda: daemon.metric("understudy_uncommitted_records") == 0, "a commit")
    daemon.kill()
    daemon = case.start()
    feed(case, 1100, 1200)
    case.wait_count(1100)
    daemon.stop()
    need_once(numbers(case.out), range(100, 1200))


@test("12")
def no_room_at_the_disk(case):
    """fdatasync without room stops acknowledging, is said, and goes on by itself; EIO stays until a restart."""
    faults = Faults(case)
    daemon = case.start(
        sources=[case.directory("tail")], shutdown={"drain_seconds": 2}, environment=faults.environment)
    feed(case, 0, 100)
    case.wait_count(100)
    faults.set("nospace", "answers.jsonl")
    feed(case, 100, 200)
    wait(lambda: daemon.get("/healthz")[0] == 503, "503")
    body = daemon.get("/healthz")[1]
    need("no space left" in body and "answers.jsonl" in body, f"/healthz says {body}")
    faults.clear("nospace")
    wait(lambda: daemon.get("/healthz")[0] == 200, "200 when there is room again")
    feed(case, 200, 300)
    case.wait_count(300)
    # Without room a stop keeps its bound.
    faults.set("nospace", "answers.jsonl")
    feed(case, 300, 400)
    wait(lambda: daemon.get("/healthz")[0] == 503, "503")
    daemon.signal(signal.SIGTERM)
    daemon.wait_exit(75, seconds=120)
    faults.clear("nospace")
    daemon = case.start(environment=faults.environment, shutdown={"drain_seconds": 3600})
    case.wait_count(400)
    wait(lambda: daemon.metric("understudy_uncommitted_records") == 0, "a commit")
    faults.set("eio", "answers.jsonl")
    feed(case, 400, 500)
    wait(lambda: daemon.get("/healthz")[0] == 503, "503")
    faults.clear("eio")
    time.sleep(0.5)
    need(daemon.get("/healthz")[0] == 503, "an error of the disk was forgotten")
    daemon.signal(signal.SIGTERM)  # nothing can be committed, so the hour isn't waited for
    daemon.wait_exit(75, seconds=300)
    case.start(shutdown=None)
    case.wait_count(500)
    case.daemons[-1].stop()
    need_once(numbers(case.out), range(500))


@test("12")
def too_few_descriptors(case):
    """A job that needs more files than may be open: 503, and the limit and LimitNOFILE are named; check says it before."""
    sinks = [case.file_sink(f"split{index}", f"out/{index}/{{label}}.jsonl") for index in range(30)]
    for index in range(30):
        os.mkdir(case.path(f"out/{index}"))
    limited = ["sh", "-c", "ulimit -n 96; exec \"$@\"", "sh"]
    daemon = case.start(sources=[case.directory("tail")], sinks=sinks, prefix=limited)
    need("LimitNOFILE: is 96" in daemon.log, "the start doesn't name the limit")
    status, out, errors = case.run("check", "--config", case.config, prefix=limited)
    need("LimitNOFILE" in out + errors, f"check says {status}: {out}{errors}")
    feed(case, 0, 500)
    wait(lambda: daemon.get("/healthz")[0] == 503, "503")
    body = daemon.get("/healthz")[1]
    need("LimitNOFILE" in body and "limit of 96 open files" in body, f"/healthz says {body}")
    daemon.kill()
    # What the hard limit allows is taken without being asked.
    soft = ["sh", "-c", "ulimit -Sn 96; exec \"$@\"", "sh"]
    daemon = case.start(prefix=soft)
    paths = [case.path(f"out/0/{name}") for name in os.listdir(case.path("out/0"))]
    wait(lambda: sum(count(case.path(f"out/0/{name}")) for name in os.listdir(case.path("out/0"))) == 500, "all lines")
    need(daemon.get("/healthz")[0] == 200 and "LimitNOFILE" not in daemon.log, "the limit isn't raised")
    daemon.stop()
    need_once(numbers(*[case.path(f"out/29/{name}") for name in os.listdir(case.path("out/29"))]), range(500))
    case.note = f"{len(paths)} labels"


@test("11")
def unlock_that_fails(case):
    """Unlocking the state fails once: the connections are opened anew, and commits go on without a restart."""
    faults = Faults(case)
    daemon = case.start(
        sources=[case.directory("tail")], environment=faults.environment, shutdown={"drain_seconds": 5})
    total = 0
    for _ in range(3):
        faults.set("unlock", "state.sqlite-shm")
        feed(case, total, total + 100)
        total += 100
        wait(lambda: not faults.is_set("unlock"), "an unlocking that fails")
        case.wait_count(total)
        wait(lambda: daemon.metric("understudy_uncommitted_records") == 0, "a commit")
        feed(case, total, total + 100)
        total += 100
        case.wait_count(total)
        wait(lambda: daemon.metric("understudy_uncommitted_records") == 0, "commits go on")
        wait(lambda: daemon.get("/healthz")[0] == 200, "healthy again")
    faults.set("unlock", "state.sqlite-shm")
    daemon.stop()
    need_once(numbers(case.out), range(total))


@test("10")
def state_that_is_no_file(case):
    """A FIFO, a socket, a directory or a dangling link in place of the state: a clear error, and nothing waits."""
    database = case.path("state/state.sqlite")
    case.write_config(sources=[case.fifo()])

    def listen(path):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)

    for make, text in [
            (os.mkfifo, "this is a FIFO"), (os.mkdir, "this is a directory"), (listen, "this is a socket"),
            (lambda path: os.symlink("missing/state.sqlite", path), "is its disk mounted")]:
        make(database)
        case.refused(73, text)
        status, out, errors = case.run("check", "--config", case.config)
        need(text in out + errors, f"check says {status}: {out}{errors}")
        case.run("disagreements", "stats", "--config", case.config)
        need(os.path.lexists(database), "it was removed")
        (os.rmdir if os.path.isdir(database) else os.unlink)(database)
    case.start().stop()


@test("10")
def strange_tables(case):
    """A view in place of a table, triggers and indices: the state is set aside, no line is lost and none comes twice."""
    feed(case, 0, 100)
    case.start(sources=[case.directory("tail")])
    case.wait_count(100)
    case.daemons[-1].stop()
    scripts = [
        "ALTER TABLE sink RENAME TO hidden; CREATE VIEW sink AS SELECT * FROM hidden",
        "ALTER TABLE checkpoint RENAME TO hidden; CREATE VIEW checkpoint AS SELECT * FROM hidden",
        "CREATE TRIGGER extra AFTER INSERT ON checkpoint BEGIN DELETE FROM checkpoint; END",
        "CREATE UNIQUE INDEX extra ON checkpoint (offset)",
    ]
    for turn, script in enumerate(scripts, start=1):
        state = sqlite3.connect(case.path("state/state.sqlite"))
        state.executescript(script)
        state.close()
        daemon = case.start()
        need("was set aside" in daemon.log, f"after '{script}' nothing was said")
        feed(case, turn * 100, turn * 100 + 100)
        case.wait_count(turn * 100 + 100)
        daemon.stop()
    need_once(numbers(case.out), range(len(scripts) * 100 + 100))


@test("10")
def copied_installation(case):
    """State, inputs and outputs copied, as to another machine: outputs are known by their content, inputs are read again."""
    feed(case, 0, 300)
    case.settings["state"]["commit_interval_milliseconds"] = 300
    daemon = case.start(sources=[case.directory("tail")])
    case.wait_count(300)
    wait(lambda: daemon.metric("understudy_uncommitted_records") == 0, "a commit")
    feed(case, 300, 600)
    wait(lambda: count(case.out) > 300, "answers that aren't committed")
    daemon.kill()
    committed = read(case.out)
    for name in ("state", "in", "out"):
        os.rename(case.path(name), case.path(f"{name}.old"))
        shutil.copytree(case.path(f"{name}.old"), case.path(name))
    daemon = case.start()
    wait(lambda: "00000599" in read(case.out).decode(), "the last line")
    wait(lambda: daemon.metric("understudy_uncommitted_records") == 0, "a commit")
    daemon.stop()
    found = whole(case.out)
    need(set(found) == set(range(600)), f"{600 - len(set(found))} lines are missing")
    need("is missing (rotated" not in daemon.log, "the output wasn't known again")
    # The first 300 answers stay where they were; nothing of what was committed is cut.
    need(read(case.out).startswith(b"".join(committed.splitlines(keepends=True)[:300])), "committed answers are gone")
    case.note = f"{len(found) - 600} lines of inputs that were read again"


@test("10")
def flipped_bytes(case):
    """Bytes flipped at random in the state and its log at once: the daemon starts, says so, and loses no line."""
    feed(case, 0, 150)
    case.start(sources=[case.directory("tail")])
    case.wait_count(150)
    case.daemons[-1].stop()
    # What the log doesn't have any more is an older state, to which the output is cut back.
    feed(case, 150, 300)
    case.start()
    case.wait_count(300)
    case.daemons[-1].kill()
    state = case.path("state")
    shutil.copytree(state, case.path("kept-state"))
    kept = read(case.out)
    feed(case, 300, 400)
    said = 0
    turns = 100 if case.is_long else 10
    for turn in range(turns):
        shutil.rmtree(state)
        shutil.copytree(case.path("kept-state"), state)
        with open(case.out, "wb") as file:  # the same inode
            file.write(kept)
        for name in ("state.sqlite", "state.sqlite-wal"):
            with open(f"{state}/{name}", "r+b") as file:
                size = file.seek(0, 2)
                for _ in range(case.chance.choice([1, 3, 30])):
                    file.seek(case.chance.randrange(size))
                    byte = file.read(1)[0]
                    file.seek(-1, 1)
                    file.write(bytes([byte ^ case.chance.randrange(1, 256)]))
        daemon = case.start()
        wait(lambda: "00000399" in read(case.out).decode(), f"the last line, turn {turn}")
        daemon.stop()
        found = whole(case.out)
        need(set(found) == set(range(400)), f"turn {turn}: {400 - len(set(found))} lines are missing")
        is_said = "set aside" in daemon.log
        need(is_said or len(found) == 400, f"turn {turn}: {len(found) - 400} lines came twice, and nothing was said")
        said += is_said
    case.note = f"{turns} times, {said} set aside"
