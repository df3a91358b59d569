"""What the daemon believes about the files that it reads."""
import gzip
import os
import time

from .harness import answers, append, count, deliver, line, lines, need, need_once, numbers, test, wait


@test("25")
def links_out_of_the_directory(case):
    """Links as a container runtime makes them are followed, also when they lead elsewhere; the target stays."""
    os.mkdir(case.path("pods"))
    append(case.path("pods/0.log"), lines(0, 50))
    os.symlink("../pods/0.log", case.path("in/a.log"))
    os.symlink("a.log", case.path("in/b.log"))
    os.symlink("circle", case.path("in/circle"))
    os.symlink("nowhere", case.path("in/nothing"))
    daemon = case.start(sources=[case.directory("tail", poll_seconds=1)])
    case.wait_count(50)
    append(case.path("pods/0.log"), lines(50, 60))
    case.wait_count(60)
    append(case.path("pods/1.log"), lines(60, 90))
    os.symlink("../pods/1.log", case.path("in/.new"))
    os.rename(case.path("in/.new"), case.path("in/a.log"))
    case.wait_count(90)
    for said in ("points outside the directory", "part of a loop", "target doesn't exist"):
        daemon.wait_log(said)
    time.sleep(2.5)  # two more looks
    need(daemon.count_log("part of a loop") == 1, "a circle of links is said again and again")
    daemon.stop()
    daemon = case.start()
    append(case.path("pods/1.log"), lines(90, 95))
    case.wait_count(95)
    daemon.stop()
    need_once(numbers(case.out), range(95))
    need(os.path.exists(case.path("pods/0.log")), "the target of a link is gone")


@test("14, 22")
def directory_made_again(case):
    """A followed directory is removed and made again, while a file of it is still open: nothing in the new one waits."""
    os.mkdir(case.path("in/drops"))
    append(case.path("in/drops/a.log"), lines(0, 10))
    daemon = case.start(sources=[case.directory("tail", path="in/drops", poll_seconds=1)])
    case.wait_count(10)
    for round_ in range(1, 6):
        for name in os.listdir(case.path("in/drops")):
            os.unlink(case.path(f"in/drops/{name}"))
        os.rmdir(case.path("in/drops"))
        os.mkdir(case.path("in/drops"))
        append(case.path(f"in/drops/{round_}.log"), lines(round_ * 10, round_ * 10 + 10))
        case.wait_count(10 * round_ + 10)
    daemon.stop()
    need_once(numbers(case.out), range(60))


@test("26")
def archive_cut_short(case):
    """The whole lines of a cut archive are answered, its torn end is one dead letter, also when it is killed meanwhile."""
    dead = case.path("out/dead.jsonl")
    whole, torn = gzip.compress(lines(0, 40) + line(40)[:9]), gzip.compress(line(40)[9:-1])
    deliver(case.path("in/a.gz"), whole + torn[:-6])
    daemon = case.start(sources=[case.directory()], dead_letter={"path": dead})
    case.wait_count(40)
    wait(lambda: count(dead) == 1, "a dead letter")
    daemon.kill()
    daemon = case.start()
    daemon.wait_committed()
    wait(lambda: count(dead) == 1, "a dead letter after a kill")
    need(daemon.metric('understudy_lines_refused_total{source="drops",flaw="torn"}') <= 1, "counted twice")
    daemon.stop()
    daemon = case.start()
    append(case.path("in/a.gz"), torn[-6:] + gzip.compress(b"\n" + line(41)))
    case.wait_count(42)
    daemon.stop()
    need_once(numbers(case.out), range(42))
    letters = answers(dead)
    need(len(letters) == 1, f"dead letters: {letters}")
    letter = letters[0]
    need(letter["error"] == "torn" and letter["line"] == 41 and letter["offset"] == len(lines(0, 40)), f"{letter}")
    need("damaged or truncated" in letter["reason"], f"{letter}")


@test("28")
def utf_16(case):
    """Both byte orders are read with `encoding: utf-16`; where it isn't set, each file is said to look like it, once."""
    dead = case.path("out/dead.jsonl")
    for name in ("wide", "plain"):
        os.mkdir(case.path(name))
    text = "".join(f"{number:08d} 上海\u0a00上涨{chr(0x1f600)}\r\n" for number in range(20))
    for name, order in (("le", "utf-16-le"), ("be", "utf-16-be")):
        append(case.path(f"wide/{name}"), ("\ufeff" + text).encode(order) + b"\xff")
        # Without characters that hold a byte of LF, so that no line of it is UTF-8 by chance.
        plain = "".join(f"{number:08d} 中国\r\n" for number in range(20))
        append(case.path(f"plain/{name}"), ("\ufeff" + plain).encode(order))
    append(case.path("plain/utf-8"), lines(20, 30))
    daemon = case.start(
        sources=[case.directory("tail", "wide", "wide", encoding="utf-16"), case.directory("files", "plain", "plain")],
        dead_letter={"path": dead})
    case.wait_count(50)
    for name, mark in (("le", "FF FE"), ("be", "FE FF")):
        daemon.wait_log(f"looks like UTF-16 (byte order mark {mark}); set encoding: utf-16 for this source")
    wait(lambda: count(dead) >= 40, "the lines of files that aren't UTF-8")
    need(daemon.count_log("looks like UTF-16") == 2, "said more than once for a file")
    daemon.stop()
    found = {}
    for answer in answers(case.out):
        found.setdefault(answer["source"], []).append(answer["text"])
    need(sorted(found["wide"]) == sorted(2 * text.split("\r\n")[:-1]), f"{found['wide'][:3]}")
    need(len(found["plain"]) == 10, f"{found['plain']}")


@test("27")
def hole_of_nuls(case):
    """A writer goes on at its old place after a truncation: the lines behind the hole are answered, and it is said."""
    with open(case.path("in/a.log"), "wb", buffering=0) as file:
        file.write(lines(0, 10))
        daemon = case.start(sources=[case.directory("tail")])
        case.wait_count(10)
        daemon.wait_committed()
        os.truncate(case.path("in/a.log"), 0)
        file.write(lines(10, 20))
        case.wait_count(20)
    daemon.wait_log("a hole of NUL bytes is skipped")
    daemon.stop()
    need_once(numbers(case.out), range(20))
