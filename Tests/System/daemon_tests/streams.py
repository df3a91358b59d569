"""Named pipes, standard input, and what lines may look like."""
import concurrent.futures
import fcntl
import gzip
import json
import os
import struct
import subprocess
import termios
import time

from .harness import (
    PATIENCE, TEXTS, answers, count, deliver, line, lines, need, need_once, numbers, test, wait)


class Writer:
    """A writer that keeps the pipe open, so that what nobody has read yet stays in it."""

    def __init__(self, path):
        self.descriptor = os.open(path, os.O_RDWR)

    def write(self, data):
        while data:
            data = data[os.write(self.descriptor, data):]

    def write_lines(self, first, end, batch=50, pause=0.0):
        for start in range(first, end, batch):
            self.write(lines(start, min(end, start + batch)))
            time.sleep(pause)

    def waiting(self):
        """Bytes in the pipe that nobody has read."""
        return struct.unpack("i", fcntl.ioctl(self.descriptor, termios.FIONREAD, b"\0" * 4))[0]

    def close(self):
        os.close(self.descriptor)


@test("1, 16")
def partial_line_of_a_fifo(case):
    """A line that is half read when the daemon stops, inside a character, comes whole after the restart."""
    daemon = case.start(sources=[case.fifo()])
    writer = Writer(case.path("wire"))
    whole = "00000001 二手车市场怎么挑？\n".encode()
    writer.write(line(0) + whole[:16])
    case.wait_count(1)
    wait(lambda: writer.waiting() == 0, "the pipe empty")
    daemon.stop()
    need(count(case.out) == 1, "half a line was answered")
    daemon = case.start()
    writer.write(whole[16:] + line(2))
    case.wait_count(3)
    daemon.stop()
    need([answer["text"] for answer in answers(case.out)][1:] == [whole.decode()[:-1], line(2).decode()[:-1]],
         "the line didn't come whole")


@test("16")
def split_characters(case):
    """A line that comes byte by byte is the same line, from a pipe and from a file that grows."""
    os.mkdir(case.path("logs"))
    daemon = case.start(sources=[case.fifo(), case.directory("tail", path="logs")])
    writer = Writer(case.path("wire"))
    text = "00000000 续航𠀀七百公里é，充电\n".encode()
    log = os.open(case.path("logs/feed.log"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for place in range(len(text)):
        writer.write(text[place:place + 1])
        os.write(log, text[place:place + 1])
        time.sleep(0.003)
    case.wait_count(2)
    daemon.stop()
    need([answer["text"] for answer in answers(case.out)] == 2 * [text.decode()[:-1]], "the text has changed")


@test("8")
def fifo_churn(case):
    """A thousand writers that come and go, many at once: no line lost or torn, and the pipe outlives the last."""
    daemon = case.start(sources=[case.fifo()])

    def write(number):
        with open(case.path("wire"), "wb", buffering=0) as pipe:
            pipe.write(line(number))

    writers = 10_000 if case.is_long else 1000
    with concurrent.futures.ThreadPoolExecutor(max_workers=20) as pool:
        list(pool.map(write, range(writers)))
    case.wait_count(writers)
    time.sleep(0.3)
    need(daemon.process.poll() is None, "the daemon ended with the last writer")
    write(writers)
    case.wait_count(writers + 1)
    daemon.stop()
    need_once(numbers(case.out), range(writers + 1))


@test("8")
def fifo_that_is_replaced(case):
    """A pipe that is removed and made anew under its path is read on."""
    daemon = case.start(sources=[case.fifo()])
    old = Writer(case.path("wire"))
    old.write(lines(0, 10))
    case.wait_count(10)
    os.unlink(case.path("wire"))
    wait(lambda: os.path.exists(case.path("wire")), "a new pipe")
    new = Writer(case.path("wire"))
    old.write(lines(10, 20))
    old.close()
    new.write(lines(20, 30))
    case.wait_count(30)
    daemon.stop()
    need_once(numbers(case.out), range(30))


@test("8")
def fifo_over_restarts(case):
    """SIGTERM again and again while a writer writes: each line that was read is answered, exit status 0."""
    daemon = case.start(sources=[case.fifo()])
    writer = Writer(case.path("wire"))
    total = 60_000 if case.is_long else 10_000
    feeder = case.feed(writer.write_lines, 0, total, 37, 0.004)
    for _ in range(30 if case.is_long else 5):
        time.sleep(case.chance.uniform(0.05, 0.4))
        daemon.stop()
        daemon = case.start()
    feeder.join()
    case.wait_count(total)
    daemon.stop()
    need_once(numbers(case.out), range(total))
    need(numbers(case.out) == list(range(total)), "the order has changed")


@test("8")
def standard_input_ends(case):
    """Standard input's end is: drain, flush, exit 0; the last line needs no newline."""
    for spool in (False, True):
        source = {"name": "in", "kind": "stdin", "spool": spool}
        daemon = case.launch(
            sources=[source], sinks=[{"name": "out", "kind": "stdout"}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        output, _ = daemon.process.communicate(lines(0, 3000) + line(3000)[:-1], timeout=PATIENCE)
        need(daemon.process.returncode == 0, f"exit status {daemon.process.returncode}")
        found = [json.loads(text)["text"] for text in output.decode().splitlines()]
        need(found == [line(number).decode()[:-1] for number in range(3001)], f"{len(found)} of 3001 lines")
        need(not os.path.exists(case.path("state/unfinished")) or not os.listdir(case.path("state/unfinished")),
             "something unfinished was kept")


@test("8")
def a_pipeline(case):
    """`cat | understudy run | tail` as a shell runs it; when the reader has gone, the daemon ends."""
    case.write_config(
        sources=[{"name": "in", "kind": "stdin"}], sinks=[{"name": "out", "kind": "stdout", "format": "tsv"}])
    with open(case.path("input"), "wb") as file:
        file.write(lines(0, 2000))
    run = f"'{case.binary}' run --config '{case.config}'"
    done = subprocess.run(
        ["bash", "-c", f"cat '{case.path('input')}' | {run} | tail -n 1; echo ${{PIPESTATUS[*]}}"],
        capture_output=True, timeout=PATIENCE)
    last, statuses = done.stdout.decode().splitlines()
    need(statuses == "0 0 0", f"exit statuses {statuses}: {done.stderr.decode()[-500:]}")
    need(last.split("\t")[0] == line(1999).decode()[:-1] and len(last.split("\t")) == 3, f"the last answer is {last}")
    done = subprocess.run(
        ["bash", "-c", f"while cat '{case.path('input')}'; do :; done 2>/dev/null | {run} | head -n 1 >/dev/null; "
         "echo ${PIPESTATUS[1]}"], capture_output=True, timeout=PATIENCE)
    need("standard output was closed" in done.stderr.decode(), "the reader's end wasn't said")
    case.note = f"exit status {done.stdout.decode().strip()} when the reader has gone"


@test("1, 10")
def spool_over_kills(case):
    """kill -9 at random moments with a spooled pipe: nothing that was read is lost, nothing comes twice."""
    kills = 100 if case.is_long else 8
    total = 4000 * kills
    daemon = case.start(sources=[case.fifo(spool=True)])
    writer = Writer(case.path("wire"))
    feeder = case.feed(writer.write_lines, 0, total, 41, 0.005)
    for _ in range(kills):
        time.sleep(case.chance.uniform(0.02, 0.4))
        daemon.kill()
        daemon = case.start()
    feeder.join()
    case.wait_count(total)
    daemon.stop()
    need_once(numbers(case.out), range(total))
    need(numbers(case.out) == list(range(total)), "the order has changed")
    case.note = f"{kills} kills, {total} lines"


@test("16")
def forms_of_input(case):
    """JSON Lines, TSV, GB18030, Big5 and compressed files; other fields pass through."""
    for name in ("jsonl", "tsv", "gb18030", "big5", "packed"):
        os.mkdir(case.path(name))
    texts = TEXTS[:5]
    deliver(case.path("jsonl/a"), "".join(
        json.dumps({"nr": index, "headline": text, "label": "mine"}, ensure_ascii=index % 2 == 0) + "\n"
        for index, text in enumerate(texts)).encode())
    deliver(case.path("tsv/a"), "".join(f"{index}\t{text}\tx\n" for index, text in enumerate(texts)).encode())
    deliver(case.path("gb18030/a"), "".join(text + "\n" for text in texts).encode("gb18030"))
    deliver(case.path("big5/a"), "球隊在加時賽中贏得比賽\r\n新車\r\n".encode("big5"))
    deliver(case.path("packed/a.gz"), gzip.compress("".join(text + "\n" for text in texts).encode()))
    daemon = case.start(sources=[
        case.directory(name="jsonl", path="jsonl", input="jsonl", field="headline"),
        case.directory(name="tsv", path="tsv", input="tsv", column=2),
        case.directory(name="gb18030", path="gb18030", encoding="gb18030"),
        case.directory(name="big5", path="big5", encoding="big5"),
        case.directory(name="packed", path="packed"),
    ])
    case.wait_count(22)
    daemon.stop()
    found = {name: [] for name in ("jsonl", "tsv", "gb18030", "big5", "packed")}
    for answer in answers(case.out):
        found[answer["source"]].append(answer)
    for name in ("jsonl", "tsv", "gb18030", "packed"):
        need([answer["text"] for answer in found[name]] == texts, f"{name}: {found[name]}")
    need([answer["text"] for answer in found["big5"]] == ["球隊在加時賽中贏得比賽", "新車"], f"{found['big5']}")
    need([(answer["nr"], answer["input_label"]) for answer in found["jsonl"]] == [(n, "mine") for n in range(5)],
         "the other fields didn't pass through")
    need(len({answer["label"] for answer in found["jsonl"]} & {"mine"}) == 0, "the input's label became the answer")


@test("1")
def dead_letters(case):
    """Lines that can't be classified are kept with their reasons, counted, and never stop the stream."""
    dead = case.path("out/dead.jsonl")
    daemon = case.start(
        sources=[case.fifo(maximum_line_bytes=1000), case.fifo("json", "json", input="jsonl")],
        dead_letter={"path": dead})
    plain, structured = Writer(case.path("wire")), Writer(case.path("json"))
    plain.write(line(0) + b"\xff\xfe bad\n" + line(1) + b"x" * 1001 + b"\n" + b"nul \0\n" + b"\n" + line(2))
    structured.write(b'{"text": "' + line(3)[:-1] + b'"}\n{"text": 5}\n{"other": 1}\n{"text"\n{"text":"'
                     + line(4)[:-1] + b'"}\n')
    case.wait_count(5)
    wait(lambda: count(dead) == 6, "six dead letters")
    kinds = sorted(letter["error"] for letter in answers(dead))
    need(kinds == sorted(["not_utf8", "too_long", "contains_nul", "field_not_string", "missing_field",
                          "malformed_json"]), f"the reasons are {kinds}")
    need(daemon.metric('understudy_lines_refused_total{source="wire",flaw="too_long"}') == 1, "not counted")
    need(daemon.metric('understudy_dead_letters_total{source="json"}') == 3, "dead letters not counted")
    need(daemon.metric('understudy_lines_total{source="wire",result="blank"}') == 1, "blank line not counted")
    daemon.stop()
    need_once(numbers(case.out), range(5))
