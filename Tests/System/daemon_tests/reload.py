"""SIGHUP."""
import json
import os
import signal
import time

from .harness import (
    PATIENCE, answers, append, count, deliver, line, lines, need, need_once, numbers, read, test, wait)
from .streams import Writer

REFUSED = 'kept="the previous settings"'


@test("9")
def reload_storm(case):
    """500 SIGHUPs, good and bad configurations by turns, while lines flow: no line lost, the last good one in force."""
    sinks = [case.file_sink()]
    daemon = case.start(sources=[case.fifo(), case.directory("tail")], sinks=sinks)
    writer = Writer(case.path("wire"))
    total = 40_000
    feeder = case.feed(writer.write_lines, 0, total, 20, 0.004)
    # One at a time: each is carried out, each bad one is logged once.
    for turn in range(40):
        if turn % 2:
            case.write_broken_config()
            daemon.reload(REFUSED)
        else:
            case.write_config(sinks=sinks + [case.file_sink("extra", f"out/extra{turn % 4}", format="label")])
            daemon.reload(" reloaded")
    need(daemon.count_log(REFUSED) == 20, f"20 bad configurations were logged {daemon.count_log(REFUSED)} times")
    need(daemon.count_log(" reloaded") == 20, "a good configuration was swallowed")
    # A storm.
    for turn in range(460):
        if turn % 2:
            case.write_broken_config()
        else:
            case.write_config(sinks=sinks + [case.file_sink("extra", f"out/extra{turn % 4}", format="label")])
        daemon.signal(signal.SIGHUP)
        time.sleep(case.chance.choice([0, 0, 0.002, 0.02]))
    case.write_config(sinks=sinks + [case.file_sink("last", "out/last.jsonl")])
    daemon.signal(signal.SIGHUP)
    feeder.join()
    case.wait_count(total)
    wait(lambda: any(target.endswith("/out/last.jsonl") for target in daemon.descriptors()), "the last sink")
    before = count(case.path("out/last.jsonl"))
    append(case.path("in/feed.log"), lines(total, total + 100))
    case.wait_count(total + 100)
    wait(lambda: count(case.path("out/last.jsonl")) == before + 100, "all new answers in the last sink")
    done = daemon.metric('understudy_reloads_total{result="ok"}'), daemon.metric(
        'understudy_reloads_total{result="failed"}')
    case.note = f"{done[0]:.0f} reloads and {done[1]:.0f} refusals of 501 signals"
    need(done[1] == daemon.count_log(REFUSED), "a refusal wasn't logged once")
    daemon.stop()
    need_once(numbers(case.out), range(total + 100))


@test("9")
def bad_configurations_keep_the_old(case):
    """Each kind of mistake is refused as a whole, and what was goes on."""
    good = [case.fifo(), case.directory("tail")]
    daemon = case.start(sources=good)
    writer = Writer(case.path("wire"))
    missing = dict(case.directory("tail"), path=case.path("nowhere"))
    with open(case.path("regular"), "w", encoding="utf-8"):
        pass
    sinks = case.settings["sinks"]
    mistakes = [
        dict(sources=good, sinks=sinks, surces=[]),
        dict(sources=[], sinks=sinks),
        dict(sources=[case.fifo(), missing], sinks=sinks),
        dict(sources=good + [dict(missing, name="more")], sinks=sinks),
        dict(sources=[dict(case.fifo(), path=case.path("regular")), good[1]], sinks=sinks),
        dict(sources=good, sinks=[case.file_sink(path="nowhere/answers")]),
        dict(sources=good, sinks=[case.file_sink(labels=["no such label"])]),
        dict(sources=good, sinks=sinks, models={"student": case.path("nowhere")}),
    ]
    number = 0
    kept = dict(case.settings)
    for mistake in mistakes:
        case.settings = dict(kept)
        case.write_config(**mistake)
        daemon.reload(REFUSED)
        writer.write(line(number))
        append(case.path("in/feed.log"), line(number + 1))
        number += 2
        try:
            case.wait_count(number)
        except Exception:
            need(False, f"no more answers after a refused configuration: {mistake}")
        need(daemon.get("/readyz")[0] == 200, "not ready")
        need("the last reload was refused" in daemon.get("/status")[1], "the status doesn't say so")
    case.settings = dict(kept)
    case.write_config()
    daemon.reload(" reloaded")
    need("the last reload was refused" not in daemon.get("/status")[1], "the status still speaks of a refusal")
    daemon.stop()
    need_once(numbers(case.out), range(number))
    case.note = f"{len(mistakes)} mistakes"


@test("9")
def sources_and_sinks_change(case):
    """Sources and sinks come, go and change by reload; what stays goes on without a gap."""
    for name in ("one", "two"):
        os.mkdir(case.path(name))
    daemon = case.start(
        sources=[case.fifo(), case.directory("tail", name="one", path="one"), case.fifo("old", "old")],
        sinks=[case.file_sink(), case.file_sink("second", "out/second.jsonl")])
    writer = Writer(case.path("wire"))
    feeder = case.feed(writer.write_lines, 0, 5000, 10, 0.003)
    append(case.path("one/feed"), lines(10_000, 10_100) + line(10_100)[:20])
    Writer(case.path("old")).write(lines(11_000, 11_100))
    wait(lambda: {*range(10_000, 10_100), *range(11_000, 11_100)} <= set(numbers(case.out)), "the first lines")
    case.write_config(
        sources=[case.fifo(), case.directory("tail", name="one", path="one", maximum_line_bytes=500),
                 case.directory(name="two", path="two")],
        sinks=[case.file_sink(), case.file_sink("third", "out/third.tsv", format="tsv")])
    daemon.reload(" reloaded")
    wait(lambda: not any(target.endswith("/old") for target in daemon.descriptors()), "the dropped pipe closed")
    append(case.path("one/feed"), line(10_100)[20:] + lines(10_101, 10_200) + b"x" * 501 + b"\n")
    deliver(case.path("two/file"), lines(12_000, 12_100))
    feeder.join()
    total = 5000 + 200 + 100 + 100
    case.wait_count(total)
    wait(lambda: daemon.metric('understudy_lines_refused_total{source="one",flaw="too_long"}') == 1, "the new limit")
    # The same place under another name, and a new place under the same name.
    case.write_config(sources=[case.fifo("renamed"), case.directory(name="one", path="two")])
    daemon.reload(" reloaded")
    writer.write(line(13_000))
    deliver(case.path("two/file2"), line(13_001))
    wait(lambda: {13_000, 13_001} <= set(numbers(case.out)), "lines after the second reload")
    daemon.stop()
    second, third = case.path("out/second.jsonl"), count(case.path("out/third.tsv"))
    found = numbers(case.out)
    again = [number for number in found if 12_000 <= number < 12_100]
    need(len(again) in (100, 200), f"{len(again)}")  # a source of another name reads the directory anew
    need_once([number for number in found if not 12_000 <= number < 12_100],
              [*range(5000), *range(10_000, 10_200), *range(11_000, 11_100), 13_000, 13_001])
    need_once(numbers(second), found[:count(second)])
    need(third + count(second) >= len(found), f"{count(second)} and {third} answers of {len(found)} in other sinks")
    need({answer["source"] for answer in answers(case.out)} == {"wire", "one", "old", "two", "renamed"}, "sources")


@test("9")
def reload_beside_a_stuck_sink(case):
    """A source or a sink that goes by reload while nobody reads that sink doesn't stop the daemon."""
    stuck = {"name": "stuck", "kind": "fifo", "path": case.path("nobody"), "sources": ["wire", "other"]}
    sinks = [case.file_sink(sources=["drops"]), stuck]
    sources = [case.fifo("other", "other"), case.directory("tail")]
    daemon = case.start(sources=[case.fifo(), *sources], sinks=sinks, shutdown={"drain_seconds": 1})
    Writer(case.path("wire")).write(lines(0, 3000))
    daemon.wait_log("the FIFO has no reader")
    # The source goes, its stuck sink stays.
    case.write_config(sources=sources, sinks=[sinks[0], dict(stuck, sources=["other"])])
    daemon.reload(" reloaded")
    append(case.path("in/feed.log"), lines(3000, 3100))
    case.wait_count(100)
    # The source stays, its stuck sink goes.
    other = Writer(case.path("other"))
    other.write(lines(4000, 4100))
    case.write_config(sinks=[sinks[0], case.file_sink("new", "out/new.jsonl")])
    daemon.reload(" reloaded")
    other.write(lines(5000, 5100))
    wait(lambda: set(range(5000, 5100)) <= set(numbers(case.path("out/new.jsonl"))), "answers in the new sink")
    case.write_config(shutdown={"drain_seconds": PATIENCE - 60})
    daemon.reload(" reloaded")
    daemon.stop()


@test("9")
def change_beside_a_stuck_sink(case):
    """A source that changes while its sink is stuck begins anew once the sink has taken what was read before."""
    out = case.path("answers")
    sinks = [{"name": "out", "kind": "fifo", "path": out}]
    daemon = case.start(sources=[case.fifo()], sinks=sinks, shutdown={"drain_seconds": 1})
    writer = Writer(case.path("wire"))
    writer.write(lines(0, 3000))
    daemon.wait_log("the FIFO has no reader")
    for limit in (1000, 2000):
        case.write_config(sources=[case.fifo(maximum_line_bytes=limit)])
        daemon.reload(" reloaded")
    writer.write(lines(3000, 3100))
    with open(out, encoding="utf-8") as pipe:
        found = [int(json.loads(pipe.readline())["text"][:8]) for _ in range(3100)]
        need(found == list(range(3100)), "the lines aren't each once, in their order")
        case.write_config(shutdown={"drain_seconds": PATIENCE - 60})
        daemon.reload(" reloaded")
        daemon.stop()


@test("9")
def pipe_that_changes(case):
    """What waits in a pipe whose writers have gone isn't lost when a reload gives its source other settings."""
    out = case.path("answers")
    sinks = [{"name": "out", "kind": "fifo", "path": out}]
    daemon = case.start(sources=[case.fifo()], sinks=sinks)
    writer = Writer(case.path("wire"))
    total = 0
    while writer.waiting() < 200_000:  # the queues are full, as nobody reads the answers
        writer.write(lines(total, total + 500))
        total += 500
    writer.close()
    case.write_config(sources=[case.fifo(maximum_line_bytes=1000)])
    daemon.signal(signal.SIGHUP)
    found = []
    with open(out, encoding="utf-8") as pipe:
        feeder = case.feed(lambda: found.extend(int(json.loads(text)["text"][:8]) for text in pipe))
        wait(lambda: len(found) >= total or daemon.process.poll() is not None, f"{total} lines")
        daemon.wait_log(" reloaded")
        daemon.stop()
        feeder.join()
    need_once(found, range(total))


@test("9")
def broken_at_the_start(case):
    """A configuration that is wrong at the start is refused with 78 and a place; nothing is made."""
    case.write_broken_config()
    case.refused(78, "understudy.yaml:")
    case.write_config(sources=[case.fifo()], sinks=[case.file_sink(labels=["no such label"])])
    case.refused(78, "no such label", "sports")
    need(not read(case.out), "something was written")
