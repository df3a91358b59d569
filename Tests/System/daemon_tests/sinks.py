"""Where answers go: files, pipes, sockets; what happens when they are full, moved or gone."""
import json
import os
import re
import signal
import socket
import subprocess
import time

from .harness import (
    PATIENCE, answers, append, count, deliver, line, lines, most_sayings, need, need_once, need_root, numbers, read,
    test, wait)
from .streams import Writer


@test("12")
def full_disk(case):
    """An output without room: reading stops, that is said twice a minute at most, and it goes on by itself."""
    need_root()
    disk = case.small_disk("disk", "1m")
    out = f"{disk}/answers.jsonl"
    total = 100_000  # more than the pipe and the queues hold
    began = time.monotonic()
    daemon = case.start(sources=[case.fifo()], sinks=[case.file_sink(path="disk/answers.jsonl")])
    writer = Writer(case.path("wire"))
    feeder = case.feed(writer.write_lines, 0, total, 200)
    daemon.wait_log("no space left")
    time.sleep(3)
    need(feeder.is_alive(), "it goes on reading")
    need("no space left" in daemon.get("/status")[1], "the status doesn't say that the output is full")
    stopped_at = count(out)
    ticks = daemon.ticks()
    time.sleep(2)
    need(count(out) == stopped_at, "the file still grows")
    case.note = f"full at {stopped_at} of {total} lines, {daemon.ticks() - ticks} ticks in 2 s while full"
    subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
    case.wait_count(total, out)
    feeder.join()
    need("no space left" not in daemon.get("/status")[1], "the status still says that the output is full")
    said = daemon.count_log("no space left")
    need(said <= most_sayings(began), f"a full disk was told of {said} times")
    daemon.stop()
    need_once(numbers(out), range(total))


@test("12")
def full_disk_and_kill(case):
    """A kill while the output is full leaves nothing half: after the restart every line is there once."""
    need_root()
    disk = case.small_disk("disk", "1m")
    out = f"{disk}/answers.jsonl"
    append(case.path("in/feed.log"), lines(0, 20_000))
    sinks = [case.file_sink(path="disk/answers.jsonl"), case.file_sink("copy", "out/copy.jsonl")]
    daemon = case.start(sources=[case.directory("tail")], sinks=sinks)
    daemon.wait_log("no space left")
    daemon.kill()
    daemon = case.start()
    daemon.wait_log("no space left")
    daemon.signal(signal.SIGTERM)  # can't drain, and what is in files needn't
    subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
    daemon.wait_exit()
    daemon = case.start()
    case.wait_count(20_000, out)
    wait(lambda: count(case.path("out/copy.jsonl")) == 20_000, "the copy")
    daemon.stop()
    need_once(numbers(out), range(20_000))
    need_once(numbers(case.path("out/copy.jsonl")), range(20_000))


@test("15")
def logrotate(case):
    """Outputs are opened anew on SIGHUP: files moved away while lines flow, and no line between."""
    daemon = case.start(sources=[case.fifo()], dead_letter={"path": case.path("out/dead.jsonl")})
    writer = Writer(case.path("wire"))
    total = 10_000
    feeder = case.feed(writer.write_lines, 0, total, 20, 0.005)
    paths = []
    while feeder.is_alive():
        time.sleep(0.15)
        if not os.path.exists(case.out):
            continue
        paths.append(f"{case.out}.{len(paths)}")
        os.rename(case.out, paths[-1])
        daemon.reload(" reloaded")
    writer.write(b"\xff\n")
    wait(lambda: count(case.out, *paths) == total, "all lines")
    wait(lambda: count(case.path("out/dead.jsonl")) == 1, "a dead letter")
    os.rename(case.path("out/dead.jsonl"), case.path("out/dead.jsonl.1"))
    daemon.reload(" reloaded")
    writer.write(b"\xff\n")
    wait(lambda: count(case.path("out/dead.jsonl")) == 1, "a dead letter in a new file")
    need(not any(re.search(r"answers\.jsonl\.\d", target) for target in daemon.descriptors()), "rotated files are kept")
    daemon.stop()
    need_once(numbers(*paths, case.out), range(total))
    case.note = f"{len(paths)} rotations"


@test("15")
def rotated_output_after_a_kill(case):
    """kill -9, then logrotate moves the output: what wasn't committed is cut off the file that was moved."""
    append(case.path("in/feed.log"), b"")
    case.settings["state"]["commit_interval_milliseconds"] = 300
    daemon = case.start(sources=[case.directory("tail")])
    kills = 30 if case.is_long else 5
    paths = []
    for turn in range(kills):
        append(case.path("in/feed.log"), lines(turn * 1000, turn * 1000 + 1000))
        wait(lambda: count(case.out) > case.chance.randrange(1000), "some answers")
        daemon.kill()
        paths.append(f"{case.out}.{turn}")
        os.rename(case.out, paths[-1])
        daemon = case.start()
        wait(lambda: count(case.out, *paths) >= turn * 1000 + 1000, "all lines")
    daemon.stop()
    need_once(numbers(case.out, *paths), range(kills * 1000))
    cuts = read(case.path("log")).decode().count("hadn't committed were cut off")
    case.note = f"{kills} kills, {cuts} times cut back"


@test("1")
def filters_and_templates(case):
    """Answers go to the sinks whose filters they pass, in the form and to the file that each names."""
    daemon = case.start(
        sources=[case.fifo(), case.fifo("other", "other")],
        sinks=[
            case.file_sink(),
            case.file_sink("split", "out/{source}/{label}-{date}.tsv", format="tsv"),
            case.file_sink("sports", "out/sports", labels=["sports"], format="label"),
            case.file_sink("other", "out/other.jsonl", sources=["other"], logits=True),
            case.file_sink("sure", "out/sure.jsonl", minimum_confidence=0.9, by="student"),
            case.file_sink("teacher", "out/teacher.jsonl", by="teacher"),
        ])
    Writer(case.path("wire")).write(lines(0, 200))
    Writer(case.path("other")).write(lines(200, 250))
    case.wait_count(250)
    daemon.stop()
    all_answers = answers(case.out)
    day = time.strftime("%Y-%m-%d")
    for source in ("wire", "other"):
        for label in {answer["label"] for answer in all_answers}:
            wanted = [answer for answer in all_answers if (answer["source"], answer["label"]) == (source, label)]
            found = read(case.path(f"out/{source}/{label}-{day}.tsv")).decode().splitlines()
            need([text.split("\t")[0] for text in found] == [answer["text"] for answer in wanted],
                 f"{source}/{label}: {len(found)} of {len(wanted)}")
    need(read(case.path("out/sports")).decode().split() == ["sports"] * sum(
        answer["label"] == "sports" for answer in all_answers), "sports")
    others = answers(case.path("out/other.jsonl"))
    need([answer["source"] for answer in others] == ["other"] * 50 and "logits" in others[0], "other")
    sure = [answer["id"] for answer in all_answers if answer["confidence"] >= 0.9]
    found = [answer["id"] for answer in answers(case.path("out/sure.jsonl"))]
    need(0 < len(sure) < 250 and abs(len(set(sure) ^ set(found))) <= 1, f"{len(found)} sure answers of {len(sure)}")
    need(count(case.path("out/teacher.jsonl")) == 0, "the teacher hasn't answered")


def collect(connection, wanted):
    """Reads lines from a socket until there are so many."""
    data = b""
    while data.count(b"\n") < wanted:
        piece = connection.recv(65536)
        need(piece, "the daemon closed the connection")
        data += piece
    return [int(json.loads(text)["text"][:8]) for text in data.decode().splitlines()]


@test("8")
def socket_readers_come_and_go(case):
    """Answers wait for whoever listens on the socket; after it has gone, for the next."""
    path = case.path("answers.sock")
    daemon = case.start(sources=[case.fifo()], sinks=[{"name": "out", "kind": "socket", "path": path}])
    writer = Writer(case.path("wire"))
    found = []
    for turn in range(3):
        writer.write(lines(turn * 500, turn * 500 + 500))
        time.sleep(0.2)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(1)
            listener.settimeout(PATIENCE)
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(PATIENCE)
                found += collect(connection, 500)
        os.unlink(path)
    need_once(found, range(1500))
    daemon.stop()


@test("8, 12")
def fifo_without_reader(case):
    """A pipe that nobody reads holds the sources up; all is delivered once somebody does, and to the next one."""
    path = case.path("answers")
    daemon = case.start(sources=[case.fifo()], sinks=[{"name": "out", "kind": "fifo", "path": path}])
    writer = Writer(case.path("wire"))
    total = 100_000  # more than the pipe and the queues hold
    feeder = case.feed(writer.write_lines, 0, total, 200)
    time.sleep(1.5)
    need(feeder.is_alive(), "it goes on reading")
    ticks = daemon.ticks()
    time.sleep(1)
    case.note = f"{daemon.ticks() - ticks} ticks in 1 s while nobody reads"
    found = []
    with open(path, encoding="utf-8") as pipe:
        while len(found) < total:
            found.append(int(json.loads(pipe.readline())["text"][:8]))
    need_once(found, range(total))
    writer.write(lines(total, total + 10))
    with open(path, encoding="utf-8") as pipe:
        found = [int(json.loads(pipe.readline())["text"][:8]) for _ in range(10)]
    need_once(found, range(total, total + 10))
    daemon.stop()


@test("12")
def when_full_drop(case):
    """A sink that drops counts what it drops and holds nobody up."""
    daemon = case.start(sources=[case.directory()], sinks=[
        case.file_sink(), {"name": "pipe", "kind": "fifo", "path": case.path("answers"), "when_full": "drop"},
        {"name": "socket", "kind": "socket", "path": case.path("nobody.sock"), "when_full": "drop"}])
    deliver(case.path("in/a"), lines(0, 3000))
    case.wait_count(3000)
    for sink in ("pipe", "socket"):
        wait(lambda: daemon.metric(f'understudy_sink_dropped_total{{sink="{sink}"}}') == 3000, f"{sink}: 3000 dropped")
    # With a reader that doesn't read: what fits into the pipe is whole records.
    reader = os.open(case.path("answers"), os.O_RDONLY | os.O_NONBLOCK)
    deliver(case.path("in/b"), lines(3000, 9000))
    case.wait_count(9000)
    dropped = daemon.metric('understudy_sink_dropped_total{sink="pipe"}') - 3000
    written = daemon.metric('understudy_sink_records_total{sink="pipe"}')
    need(dropped + written == 6000 and dropped > 0, f"{written} written, {dropped} dropped of 6000")
    data = b""

    def has_read(records):
        nonlocal data
        try:
            data += os.read(reader, 1 << 20)
        except BlockingIOError:
            pass
        return data.count(b"\n") >= records

    wait(lambda: has_read(200), "what fits into the pipe")
    # What had been begun and didn't fit comes before the next answer.
    deliver(case.path("in/c"), line(9000))
    wait(lambda: has_read(written + 1), "what was counted as written")
    daemon.stop()
    os.close(reader)
    found = [int(json.loads(text)["text"][:8]) for text in data.decode().splitlines()]
    need(len(found) == len(set(found)) and found[-1] == 9000, "records came twice")
    need_once(numbers(case.out), range(9001))
    case.note = f"{written:.0f} written, {dropped:.0f} dropped of 6000"


@test("12")
def output_in_a_missing_directory(case):
    """A sink to a missing directory is refused at the start, in a sentence that says what to do."""
    case.refused(73, "create the directory", sources=[case.fifo()], sinks=[case.file_sink(path="nowhere/answers")])
