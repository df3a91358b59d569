"""Trials of the machine around the daemon: a clock that is set, a stop while the teacher is slow, memory that runs out."""
import os
import re
import shutil
import signal
import struct
import subprocess
import time

from .harness import (
    PATIENCE, STUDENT, TEACHER, Skipped, answers, append, count, deliver, line, lines, need, need_once, numbers, read,
    test, wait)
from .streams import Writer

DAY = 86_400

#: Shifts the wall clock of one process by the seconds in a file, which may change at any moment.
CLOCK = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long long *offset;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("TRIAL_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *found = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, file, 0);
    if (found != MAP_FAILED) offset = found;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && offset && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *offset;
    return failed;
}

time_t time(time_t *place) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (place) *place = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}
"""


class Clock:
    """The wall clock that daemons of a case see."""

    def __init__(self, case):
        compiler = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
        if not compiler:
            raise Skipped("there is no C compiler")
        self.path = case.path("offset")
        self.set(0)
        source, library = case.path("clock.c"), case.path("clock.so")
        with open(source, "w", encoding="utf-8") as file:
            file.write(CLOCK)
        done = subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, source], capture_output=True,
                              check=False)
        need(done.returncode == 0, f"the clock can't be compiled: {done.stderr.decode()}")
        self.environment = {"LD_PRELOAD": library, "TRIAL_CLOCK": self.path}

    def set(self, seconds):
        """In one write of eight bytes to a page that the daemon has mapped."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        os.pwrite(descriptor, struct.pack("q", seconds), 0)
        os.close(descriptor)
        self.seconds = seconds

    @property
    def date(self):
        return time.strftime("%Y-%m-%d", time.gmtime(time.time() + self.seconds))


@test("clock")
def clock_set(case):
    """The wall clock is set back and forward while lines come, and between a kill and the start: nothing stalls, nothing
    is lost or doubled."""
    clock = Clock(case)
    os.mkdir(case.path("logs"))
    log = case.path("logs/app.log")
    paths = [case.out, case.path("out/by-date.jsonl")]
    settings = dict(
        models={"student": STUDENT, "teacher": TEACHER}, cascade={"threshold": 0.4, "audit_share": 0.02},
        sources=[case.fifo(spool=True), case.directory(after="delete"),
                 case.directory("tail", "logs", "logs", poll_seconds=1)],
        sinks=[case.file_sink(), case.file_sink("dated", "out/{date}.dated"), case.file_sink("by", "out/by-date.jsonl")])
    daemon = case.start(environment=clock.environment, **settings)
    writer = Writer(case.path("wire"))
    total = 0

    def feed():
        """300 lines through each source, and waits for their answers."""
        nonlocal total
        writer.write(lines(total, total + 100))
        append(log, lines(total + 100, total + 200))
        deliver(case.path(f"in/{total}.txt"), lines(total + 200, total + 300))
        total += 300
        case.wait_count(total, case.out)
        case.wait_count(total, paths[1])

    dates = set()
    for days in (0, -1, 1, -400, 30, 0):
        clock.set(days * DAY)
        feed()
        dates.add(clock.date)
        wait(lambda: daemon.metric("understudy_uncommitted_records") == 0, f"everything committed at {days} days")
        need(daemon.get("/healthz")[0] == 200, f"not well at {days} days: {daemon.get('/healthz')[1]}")
        before = daemon.ticks()
        time.sleep(1)
        spent = (daemon.ticks() - before) / os.sysconf("SC_CLK_TCK")
        need(spent < 0.5, f"{spent} s of processor time in a second without lines, at {days} days")
        # What was taken whole is deleted, after a settling time by the clock that isn't set.
        wait(lambda: not os.listdir(case.path("in")), f"the file deleted at {days} days")
    found = {name[:10] for name in os.listdir(case.path("out")) if name.endswith(".dated")}
    need(len(found & dates) >= 4, f"the clock wasn't seen: {found}, wanted {dates}")
    # A kill in the future, a start in the past, and the other way round; files are met whose change is to come.
    for before, after in ((30, -30), (-30, 30), (1, 0)):
        clock.set(before * DAY)
        append(log, lines(total, total + 200))
        wait(lambda: count(case.out) > total, "some of the answers before the kill")
        daemon.kill()
        total += 200
        clock.set(after * DAY)
        deliver(case.path(f"in/{total}.txt"), lines(total, total + 50))
        total += 50
        daemon = case.start(environment=clock.environment)
        case.wait_count(total, case.out)
        feed()
    daemon.stop()
    for path in paths:
        need_once(numbers(path), range(total))
    dated = [case.path(f"out/{name}") for name in os.listdir(case.path("out")) if name.endswith(".dated")]
    need_once(numbers(*dated), range(total))
    need(len({answer["id"] for answer in answers(case.out)}) == total, "ids aren't told apart")
    writer.close()
    case.note = f"{total} lines, {len(dated)} dates"


@test("drain")
def stop_with_a_slow_teacher(case):
    """SIGTERM while the teacher holds lines: 75 after drain_seconds or 0 when they suffice; nothing is missing or doubled
    after the next start."""
    few, total = 200, 30_200
    asking = dict(models={"student": STUDENT, "teacher": TEACHER}, cascade={"threshold": 1, "audit_share": 0},
                  sources=[case.directory()])
    # Enough time: what was read is answered, and the end is a clean one.
    deliver(case.path("in/few.txt"), lines(0, few))
    daemon = case.start(shutdown={"drain_seconds": 3600}, **asking)
    wait(lambda: daemon.metric("understudy_teacher_queue_lines") > 0 or count(case.out) == few, "lines for the teacher")
    daemon.signal(signal.SIGTERM)
    daemon.wait_exit(0, seconds=1200)
    need(all(answer["by"] == "teacher" for answer in answers(case.out)), "a line wasn't the teacher's")
    need_once(numbers(case.out), range(count(case.out)))
    # Too little: a teacher takes longer for so many lines on any machine.
    deliver(case.path("in/many.txt"), lines(few, total))
    daemon = case.start(shutdown={"drain_seconds": 1})
    wait(lambda: daemon.metric("understudy_teacher_queue_lines") > 0, "lines that wait for the teacher")
    began = time.monotonic()
    daemon.stop(75)
    first = time.monotonic() - began
    need("shutdown.drain_seconds" in daemon.log, f"the reason isn't said: {daemon.log}")
    held = total - count(case.out)
    need(held > 0, "all was answered before the signal")
    # The rest by the student alone, which is quick.
    daemon = case.start(cascade={"threshold": 0, "audit_share": 0}, shutdown={"drain_seconds": 60})
    case.wait_count(total)
    daemon.stop()
    need_once(numbers(case.out), range(total))
    case.note = f"{held} lines held, drain of 1 s took {first:.1f} s"


@test("memory")
def memory_limit(case):
    """Address space runs out at the start or under load: a clear end or back-pressure, and no line is lost or doubled."""
    if not shutil.which("prlimit"):
        raise Skipped("prlimit isn't here")
    os.mkdir(case.path("logs"))
    log = case.path("logs/app.log")
    sources = [case.directory("tail", "logs", "logs", start="beginning")]
    daemon = case.start(sources=sources, models={"student": STUDENT, "teacher": TEACHER},
                        cascade={"threshold": 0.5, "audit_share": 0})
    total = 500
    append(log, lines(0, total))
    case.wait_count(total)
    needed = int(re.search(r"VmPeak:\s+(\d+)", read(f"/proc/{daemon.pid}/status").decode()).group(1)) * 1024
    daemon.stop()
    ends = []
    for share in (0.3, 0.6, 0.8, 0.9, 0.95, 0.98, 1.0, 1.05):
        daemon = case.launch(prefix=("prlimit", f"--as={int(needed * share)}"))
        append(log, lines(total, total + 3000))
        total += 3000
        wait(lambda: daemon.process.poll() is not None or count(case.out) >= total or " error " in daemon.log,
             f"answers, an error or an end with {share} of the memory", seconds=4 * PATIENCE)
        status = daemon.process.poll()
        if status is None:
            # It goes on as well as it can.
            ends.append(f"{share}: runs")
            daemon.kill()
            continue
        ends.append(f"{share}: {status}")
        need(status != 0, f"it ended with 0 for want of memory: {daemon.log}")
        need(daemon.log.strip(), f"it ended with {status} and said nothing")
    daemon = case.start()
    append(log, line(total))
    total += 1
    case.wait_count(total)
    daemon.stop()
    need_once(numbers(case.out), range(total))
    case.note = ", ".join(ends)
