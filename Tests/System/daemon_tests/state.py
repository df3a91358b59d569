"""The state directory: damaged, locked, from another release, full."""
import contextlib
import os
import shutil
import sqlite3
import time

from .harness import (
    append, deliver, line, lines, most_sayings, need, need_once, need_root, numbers, read, test, wait)


@test("10")
def torn_state(case):
    """The state cut and flipped at random places: the daemon starts, says what it set aside, and loses no line."""
    state = case.path("state")
    append(case.path("in/feed.log"), lines(0, 300))
    case.start(sources=[case.directory("tail")])
    case.wait_count(300)
    case.daemons[-1].stop()
    append(case.path("in/feed.log"), lines(300, 500))
    case.start()
    case.wait_count(500)
    case.daemons[-1].kill()  # so that the write-ahead log stays
    shutil.copytree(state, case.path("kept-state"))
    kept_answers = read(case.out)
    append(case.path("in/feed.log"), lines(500, 600))
    verdicts = {}
    turns = 400 if case.is_long else 40
    doubled = 0
    for turn in range(turns):
        shutil.rmtree(state)
        shutil.copytree(case.path("kept-state"), state)
        with open(case.out, "wb") as file:  # the same inode
            file.write(kept_answers)
        name = case.chance.choice(["state.sqlite", "state.sqlite-wal"])
        with open(f"{state}/{name}", "r+b") as file:
            size = file.seek(0, 2)
            place = case.chance.randrange(size)
            if case.chance.random() < 0.5:
                file.truncate(place)
                what = f"{name} cut at {place} of {size}"
            else:
                length = case.chance.choice([1, 1, 16, 4096])
                file.seek(place)
                old = file.read(length)
                file.seek(place)
                file.write(bytes(byte ^ case.chance.randrange(1, 256) for byte in old))
                what = f"{name} flipped at {place} + {length} of {size}"
        daemon = case.start()
        wait(lambda: line(599)[:8] in read(case.out), f"the last line, {what}")
        daemon.stop()
        aside = [name for name in os.listdir(state) if ".damaged-" in name]
        said = "set aside" in daemon.log
        need(bool(aside) == said, f"{what}: set aside {aside}, said: {said}")
        found = numbers(case.out)
        need(set(found) == set(range(600)), f"{what}: {600 - len(set(found))} lines are missing")
        # A log that is cut is an older state, which cuts the output back as well.
        need(said or len(found) == 600, f"{what}: {len(found) - 600} lines came twice, and nothing was said")
        doubled += len(found) > 600
        verdicts[said] = verdicts.get(said, 0) + 1
    case.note = f"{turns} times, {verdicts.get(True, 0)} set aside, {doubled} with lines twice"


@test("10")
def one_daemon_at_a_time(case):
    """A second daemon on the same state directory is refused with 75 and told by whom."""
    daemon = case.start(sources=[case.fifo()])
    case.refused(75, f"another daemon, process {daemon.pid}, uses this state directory")
    case.daemons = [daemon]
    need(daemon.process.poll() is None, "the first one ended")
    daemon.kill()
    case.start().stop()


@test("10, 11")
def locked_state(case):
    """Another process that keeps the state locked is named as the reason; work continues when it unlocks it."""
    daemon = case.start(sources=[case.directory(after="delete")])
    with contextlib.closing(sqlite3.connect(case.path("state/state.sqlite"), isolation_level=None)) as state:
        state.execute("BEGIN IMMEDIATE")
        deliver(case.path("in/a"), lines(0, 100))
        daemon.wait_log("another process keeps the state locked")
        deliver(case.path("in/b"), lines(100, 200))
        need(os.listdir(case.path("in")), "it acknowledges what isn't committed")
        need(daemon.get("/healthz")[0] == 503, "healthy without commits")
        state.execute("ROLLBACK")
        wait(lambda: not os.listdir(case.path("in")), "both files deleted")
        need(daemon.get("/healthz")[0] == 200, "not healthy again")
        daemon.stop()
        state.execute("BEGIN IMMEDIATE")
        case.refused(75, "another process keeps the state locked")
        state.execute("ROLLBACK")
    need_once(numbers(case.out), range(200))


def xxh64(data, seed):
    """XXH64 of less than 32 bytes (the specification of xxHash), with which the state's rows are sealed."""
    primes = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
    mask = (1 << 64) - 1

    def rotate(value, bits):
        value &= mask
        return (value << bits | value >> (64 - bits)) & mask

    value = (seed + primes[4] + len(data)) & mask
    while len(data) >= 8:
        word = int.from_bytes(data[:8], "little")
        value = rotate(value ^ rotate(word * primes[1], 31) * primes[0] & mask, 27) * primes[0] + primes[3] & mask
        data = data[8:]
    if len(data) >= 4:
        value = rotate(value ^ int.from_bytes(data[:4], "little") * primes[0] & mask, 23) * primes[1] + primes[2] & mask
        data = data[4:]
    for byte in data:
        value = rotate(value ^ byte * primes[4] & mask, 11) * primes[0] & mask
    value = (value ^ value >> 33) * primes[1] & mask
    value = (value ^ value >> 29) * primes[2] & mask
    return value ^ value >> 32


@test("10")
def state_of_a_newer_release(case):
    """State that a newer release wrote is refused with 78, and left as it is."""
    case.start(sources=[case.fifo()]).stop()
    path = case.path("state/state.sqlite")
    with sqlite3.connect(path) as state:
        number, release, seal = state.execute("SELECT number, release, seal FROM schema").fetchone()

        def sealed(number, release):
            text = number.to_bytes(8, "little") + len(release).to_bytes(8, "little") + release
            return int.from_bytes(xxh64(text, 1).to_bytes(8, "little"), "little", signed=True)

        need(sealed(number, release) == seal, "this test doesn't know how the schema is sealed")
        state.execute("UPDATE schema SET number = 99, release = ?, seal = ?", (b"9.9", sealed(99, b"9.9")))
        state.commit()
        state.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = read(path)
    case.refused(78, "a newer understudy wrote this state: run release 9.9 or later")
    need(read(path) == before, "the state was changed")
    status, _, errors = case.run("check", "--config", case.config)
    need(status == 78 and "newer understudy" in errors, f"check says {status}: {errors}")


@test("11")
def state_on_a_full_disk(case):
    """State that can't be written stops acknowledging, is said, and goes on by itself; a kill meanwhile is whole."""
    need_root()
    disk = case.small_disk("small", "2m")
    settings = {"directory": f"{disk}/state", "commit_interval_milliseconds": 20}
    daemon = case.start(sources=[case.directory(after="delete")], state=settings)
    deliver(case.path("in/000"), lines(0, 100))
    case.wait_count(100)
    wait(lambda: not os.listdir(case.path("in")), "the first file deleted")

    def fill():
        with open(f"{disk}/filler", "ab", buffering=0) as filler:
            for size in (65536, 4096, 64):
                try:
                    while True:
                        filler.write(b"x" * size)
                except OSError:
                    pass

    def feed(first):
        """New files until the log's pages are used up and a commit fails."""
        number = first
        while daemon.metric('understudy_commits_total{result="failed"}') == 0 and number < first + 2000:
            deliver(case.path(f"in/{number:03d}"), lines(number * 100, number * 100 + 100))
            number += 1
            time.sleep(0.01)
        wait(lambda: daemon.metric('understudy_commits_total{result="failed"}') > 0, "a commit fails")
        return number

    fill()
    number = feed(1)
    daemon.wait_log("no space is left for the state")
    left = len(os.listdir(case.path("in")))
    need(left > 0, "files were deleted whose answers aren't committed")
    time.sleep(1)
    need(len(os.listdir(case.path("in"))) >= left, "it goes on acknowledging")
    status, body = daemon.get("/healthz")
    need(status == 503 and "committed" in body, f"/healthz says {status} {body}")
    daemon.kill()
    os.unlink(f"{disk}/filler")
    began = time.monotonic()
    daemon = case.start()
    case.wait_count(number * 100)
    fill()
    last = feed(number)
    os.unlink(f"{disk}/filler")
    case.wait_count(last * 100)
    wait(lambda: not os.listdir(case.path("in")), "all files deleted")
    need(daemon.get("/healthz")[0] == 200, "not healthy again")
    said = daemon.count_log("no space is left for the state")
    need(said <= most_sayings(began), f"it was said {said} times")
    daemon.stop()
    need_once(numbers(case.out), range(last * 100))
    case.note = f"{left} files waited"
