"""Starting, stopping, checking, and what the daemon says about itself."""
import json
import os
import re
import signal
import stat
import subprocess
import time

from .harness import (
    ROOT, Skipped, append, count, deliver, lines, need, need_once, need_root, numbers, test, wait)
from .streams import Writer


@test("1")
def sigterm_under_load(case):
    """SIGTERM under load drains within seconds and exits 0; the rest comes after the restart."""
    total = 0
    # Once more with other lines where all are answered before the signal comes.
    while count(case.out) == total:
        need(total < 2_000_000, "all lines are answered before the signal, however many there are")
        first, total = total, total + 200_000
        for index in range(20):
            deliver(case.path(f"in/{first + index:07d}"), lines(first + index * 10_000, first + (index + 1) * 10_000))
        daemon = case.start(sources=[case.directory()])
        wait(lambda: count(case.out) > first + 2000, "some answers")
        began = time.monotonic()
        daemon.stop()
        case.note = f"{time.monotonic() - began:.2f} s"
    daemon = case.start()
    case.wait_count(total)
    daemon.stop()
    need_once(numbers(case.out), range(total))


@test("1")
def second_sigterm(case):
    """A stuck drain ends with 75 after its time, and at once with a second SIGTERM."""
    sinks = [{"name": "stuck", "kind": "fifo", "path": case.path("nobody")}]
    daemon = case.start(sources=[case.fifo()], sinks=sinks, shutdown={"drain_seconds": 600})
    writer = Writer(case.path("wire"))
    writer.write(lines(0, 1000))
    daemon.wait_log("the FIFO has no reader")
    daemon.signal(signal.SIGTERM)
    daemon.wait_log("draining")
    need(daemon.get("/readyz")[0] == 503 and daemon.get("/healthz")[0] == 200, "ready while draining")
    time.sleep(0.2)
    need(daemon.process.poll() is None, "it didn't wait")
    daemon.signal(signal.SIGTERM)
    daemon.wait_exit(-signal.SIGTERM)
    daemon = case.start(shutdown={"drain_seconds": 1})
    writer.write(lines(0, 1000))
    daemon.wait_log("the FIFO has no reader")
    daemon.stop(75)
    need("shutdown.drain_seconds" in daemon.log, "the reason wasn't said")


@test("5, 8")
def idle(case):
    """Without lines nothing runs: not one clock tick in three seconds."""
    os.mkdir(case.path("logs"))
    daemon = case.start(
        sources=[case.fifo(), case.fifo("spooled", "spooled", spool=True), case.directory(),
                 case.directory("tail", name="logs", path="logs")],
        sinks=[case.file_sink(), {"name": "pipe", "kind": "fifo", "path": case.path("nobody"), "when_full": "drop"}])
    Writer(case.path("wire")).write(lines(0, 100))
    deliver(case.path("in/a"), lines(100, 200))
    append(case.path("logs/a"), lines(200, 300))
    case.wait_count(300)
    daemon.wait_committed()

    def ticks():
        before = daemon.ticks()
        time.sleep(3)
        return daemon.ticks() - before

    # What the lines leave to do is over after a while, longer on a busy machine.
    wait(lambda: ticks() == 0, "three seconds without a clock tick")
    case.note = f"{daemon.resident_kilobytes() // 1024} MiB resident"
    daemon.stop()


@test("17")
def what_it_says(case):
    """/healthz, /readyz, /metrics, /status, the page and the verb `status`."""
    daemon = case.start(sources=[case.fifo()])
    Writer(case.path("wire")).write(lines(0, 100))
    case.wait_count(100)
    need(daemon.get("/healthz")[0] == 200, "/healthz")
    need(daemon.get("/readyz")[0] == 200, "/readyz")
    need(daemon.get("/nothing")[0] == 404, "/nothing")
    families = {}
    seen = set()
    label = r'[a-z_]+="(?:[^"\\\n]|\\.)*"'
    status, text = daemon.get("/metrics")
    need(status == 200 and text.endswith("\n"), "/metrics")
    for entry in text.splitlines():
        if entry.startswith("# "):
            kind, name, rest = entry[2:].split(" ", 2)
            need(kind in ("HELP", "TYPE"), entry)
            if kind == "TYPE":
                families[name] = rest
            continue
        match = re.fullmatch(rf"([a-z_]+)(\{{{label}(?:,{label})*\}})? (\S+)", entry)
        need(match, f"not a sample: {entry}")
        name, labels, value = match.groups()
        need((name, labels) not in seen, f"a sample twice: {entry}")
        seen.add((name, labels))
        need(re.sub(r"_(bucket|sum|count)$", "", name) in families or name in families, f"no type: {entry}")
        float(value)
    need(daemon.metric('understudy_lines_total{source="wire",result="answered"}') == 100, "lines are counted")
    need(daemon.metric('understudy_sink_records_total{sink="answers"}') == 100, "records are counted")
    figures = json.loads(daemon.get("/status")[1])
    need(figures["phase"] == "ready" and figures["totals"]["answered"] == 100, "/status")
    status, page = daemon.get("/")
    need(status == 200 and page.lstrip().lower().startswith("<!doctype html>") and "wire" in page, "the page")
    status, text, errors = case.run("status", "--config", case.config)
    need(status == 0 and "wire" in text and "answers" in text and not errors, f"status {status}: {text}{errors}")
    status, text, _ = case.run("status", "--listen", f"unix:{case.http}", "--json")
    need(status == 0 and json.loads(text)["pid"] == daemon.pid, "status --json")
    daemon.kill()
    status, _, errors = case.run("status", "--config", case.config)
    need(status == 75 and errors, f"status of a dead daemon: {status} {errors}")
    case.start().stop()  # the socket that the killed one left is no hindrance
    need(not os.path.exists(case.http), "the socket is left behind")


def snapshot(folder):
    found = {}
    for directory, _, names in os.walk(folder):
        for name in [".", *names]:
            status = os.lstat(os.path.join(directory, name))
            found[os.path.join(directory, name)] = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino)
    return found


@test("9, 17")
def checking(case):
    """`check` says what is wrong, exits with 0 or 78, and changes nothing."""
    good = dict(sources=[case.fifo(), case.directory()], sinks=[case.file_sink()], dead_letter=None)
    with open(case.path("regular"), "w", encoding="utf-8"):
        pass
    os.mkfifo(case.path("pipe"))
    fifo_sink = {"name": "p", "kind": "fifo", "path": case.path("regular")}
    cases = [
        (0, "can start", dict(good)),
        (0, "can start", dict(good, state={"directory": case.path("new-state")})),
        (78, "'wire'", dict(good, sources=[case.fifo(), case.fifo(path="second")])),
        (78, "has the path of", dict(good, sources=[case.fifo(), case.fifo("second")])),
        (78, "has the path of", dict(good, sinks=[case.file_sink(), case.file_sink("second")])),
        (78, "isn't a FIFO", dict(good, sources=[case.fifo(path="regular")])),
        (78, "isn't a FIFO", dict(good, sinks=[fifo_sink])),
        (78, "isn't a regular file", dict(good, sinks=[case.file_sink(path="pipe")])),
        (78, "no such directory", dict(good, sources=[case.directory(path="nowhere")])),
        (78, "there is no directory", dict(good, sinks=[case.file_sink(path="nowhere/answers")])),
        (78, "no such label", dict(good, sinks=[case.file_sink(labels=["no such label"])])),
        (78, "can't be found", dict(good, models={"student": case.path("nowhere")})),
        (78, "did you mean 'sources'?", dict(good, surces=[])),
    ]
    kept = dict(case.settings)
    for wanted, text, settings in cases:
        case.settings = dict(kept)
        case.write_config(**settings)
        before = snapshot(case.folder)
        status, output, errors = case.run("check", "--config", case.config)
        need(status == wanted, f"exit status {status} instead of {wanted} ({text}): {errors}")
        need(text in errors, f"'{text}' isn't said: {errors}")
        need(snapshot(case.folder) == before, f"check changed something ({text})")
        if wanted == 0:
            need("commit_interval_milliseconds" in output, "the settings aren't printed")
    case.settings = dict(kept)
    case.write_config(**dict(good, sources=[case.fifo(path="regular")]))
    log = case.launch()
    log.wait_exit(78)
    need("FIFO" in log.log, f"a regular file as a pipe: {log.log}")
    case.note = f"{len(cases)} configurations"


@test("6")
def without_permission(case):
    """As another user: what may not be read or written is said by name, by `check` and by the start."""
    need_root()
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    os.chmod(case.folder, 0o755)
    if subprocess.run([*nobody, "test", "-r", f"{ROOT}/share/models/student/config.json", "-a", "-x", case.binary],
                      check=False).returncode:
        raise Skipped("another user can't reach the program or the models here")
    for name in ("state", "out"):
        os.chown(case.path(name), 65534, 65534)
    os.mkdir(case.path("secret"), 0o700)
    os.mkdir(case.path("shut"), 0o755)
    case.settings.pop("http")
    for status, text, settings in [
        (77, "secret", dict(sources=[case.directory(path="secret")])),
        (73, "shut/wire", dict(sources=[case.fifo(path="shut/wire")])),
        (73, "shut/answers", dict(sources=[case.directory()], sinks=[case.file_sink(path="shut/answers")])),
        (73, "shut", dict(sources=[case.directory()], sinks=[case.file_sink()],
                          state={"directory": case.path("shut")})),
    ]:
        case.write_config(**settings)
        checked, _, errors = case.run("check", "--config", case.config, prefix=nobody)
        need(checked == 78 and text in errors, f"check gives {checked} for {text}: {errors}")
        daemon = case.launch(prefix=nobody)
        daemon.wait_exit(status)
        need(text in daemon.log and "ermission" in daemon.log, f"{text}: {daemon.log}")
    # A file that can't be read is passed over and said; the others are read.
    case.write_config(sources=[case.directory()], state={"directory": case.path("state")})
    deliver(case.path("in/a"), lines(0, 10))
    os.chmod(case.path("in/a"), 0o600)
    deliver(case.path("in/b"), lines(10, 20))
    daemon = case.start(prefix=nobody)
    case.wait_count(10)
    daemon.wait_log("in/a")
    os.chmod(case.path("in/a"), 0o644)
    case.wait_count(20)
    daemon.stop()
    need(stat.S_IMODE(os.stat(case.out).st_mode) == 0o640, "the output's permissions")
    need_once(numbers(case.out), range(20))
