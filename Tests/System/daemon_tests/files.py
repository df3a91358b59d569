"""Watched directories."""
import os
import signal
import sqlite3
import time

from .harness import (
    Skipped, answers, append, count, deliver, line, lines, need, need_once, numbers, read, test, wait)


@test("1, 16")
def partial_line_of_a_tail(case):
    """A line that is half written when the daemon stops, inside a character, comes whole after the restart."""
    log = case.path("in/feed.log")
    append(log, line(0))
    daemon = case.start(sources=[case.directory("tail")])
    case.wait_count(1)
    whole = "00000001 新款电动轿车续航突破七百公里\n".encode()
    append(log, whole[:20])  # 新款电 and two bytes of 动
    time.sleep(0.3)
    daemon.stop()
    need(count(case.out) == 1, "half a line was answered")
    append(log, whole[20:])
    daemon = case.start()
    case.wait_count(2)
    daemon.stop()
    need(answers(case.out)[1]["text"] == whole.decode().rstrip("\n"), "the line didn't come whole")


@test("2")
def replaced_while_down(case):
    """Truncated, replaced and re-created files are new files, though one has the inode of the old."""
    for name, first in (("cut", 0), ("new", 100), ("same", 200)):
        append(case.path(f"in/{name}.log"), lines(first, first + 50))
    daemon = case.start(sources=[case.directory("tail")])
    case.wait_count(150)
    daemon.stop()
    with open(case.path("in/cut.log"), "r+b") as file:
        file.truncate(0)
        file.write(lines(300, 310))
    deliver(case.path("in/new.log"), lines(400, 470))
    inode = os.stat(case.path("in/same.log")).st_ino
    for attempt in range(50):
        os.unlink(case.path("in/same.log"))
        append(case.path("in/same.log"), lines(500, 570))
        if os.stat(case.path("in/same.log")).st_ino == inode:
            break
        os.rename(case.path("in/same.log"), case.path("kept"))  # its inode can't be given again meanwhile
        append(case.path("in/same.log"), b"")
    else:
        case.note = "the file system didn't give the inode again"
        append(case.path("in/same.log"), lines(500, 570))
    daemon = case.start()
    case.wait_count(150 + 10 + 70 + 70)
    daemon.stop()
    need_once(numbers(case.out), [*range(0, 50), *range(100, 150), *range(200, 250), *range(300, 310),
                                  *range(400, 470), *range(500, 570)])


@test("2, 4")
def inode_of_a_deleted_file(case):
    """A file with the inode of one that was answered and deleted is read to its end, though met at a start."""
    def begin(number):
        append(case.path(f"in/.{number}"), lines(number * 10, number * 10 + 10)[:-1])
        return os.stat(case.path(f"in/.{number}")).st_ino

    daemon = case.start(sources=[case.directory(after="delete")])
    inode = begin(0)
    os.rename(case.path("in/.0"), case.path("in/a"))
    wait(lambda: not os.listdir(case.path("in")), "the first file deleted")
    daemon.kill()
    number = next((number for number in range(1, 50) if begin(number) == inode), None)
    if number is None:
        raise Skipped("the file system doesn't give the inode again")
    os.rename(case.path(f"in/.{number}"), case.path("in/b"))
    daemon = case.start()
    wait(lambda: not os.path.exists(case.path("in/b")), "the second file deleted", 20)
    daemon.stop()
    need_once(numbers(case.out), [*range(10), *range(number * 10, number * 10 + 10)])


@test("3")
def rotated_while_down(case):
    """What was appended before a rotation is answered first, then the new file; nothing twice."""
    log = case.path("in/feed.log")
    append(log, lines(0, 60))
    daemon = case.start(sources=[case.directory("tail")])
    case.wait_count(60)
    daemon.stop()
    append(log, lines(60, 100))
    os.rename(log, log + ".1")
    append(log, lines(100, 150))
    daemon = case.start()
    case.wait_count(150)
    # Once more while it runs, then a kill.
    append(log, lines(150, 180))
    os.rename(log, log + ".2")
    append(log, lines(180, 200))
    case.wait_count(200)
    daemon.kill()
    daemon = case.start()
    append(log, lines(200, 210))
    case.wait_count(210)
    daemon.stop()
    need_once(numbers(case.out), range(210))
    need(numbers(case.out)[:150] == list(range(150)), "the rotated file wasn't finished first")


@test("3")
def rotated_out_of_the_pattern(case):
    """A file that is rotated while the daemon is down, to a name outside of `include`, is finished all the same."""
    log = case.path("in/feed.log")
    append(log, lines(0, 60))
    daemon = case.start(sources=[case.directory("tail", include=["*.log"])])
    case.wait_count(60)
    daemon.stop()
    append(log, lines(60, 100))
    os.rename(log, log + ".1")
    append(log, lines(100, 150))
    append(case.path("in/other.txt"), lines(900, 910))  # never wanted
    daemon = case.start()
    case.wait_count(150)
    daemon.stop()
    need_once(numbers(case.out), range(150))


@test("4")
def files_that_begin_alike(case):
    """Empty, short and same-header files are different files, also after a restart."""
    header = lines(0, 40)
    for mode in ("tail", "files"):
        os.mkdir(case.path(mode))
        for name in ("empty1", "empty2"):
            append(case.path(f"{mode}/{name}"), b"")
        for name in ("short1", "short2"):
            append(case.path(f"{mode}/{name}"), line(1))
        for index in range(3):
            append(case.path(f"{mode}/header{index}"), header + line(100 + index))
    sources = [case.directory(mode, name=mode, path=mode) for mode in ("tail", "files")]
    total = 2 * (2 + 3 * 41)
    daemon = case.start(sources=sources)
    case.wait_count(total)
    daemon.stop()
    daemon = case.start()
    append(case.path("tail/empty1"), line(200))
    append(case.path("tail/short2"), line(201))
    case.wait_count(total + 2)
    daemon.stop()
    found = sorted(numbers(case.out))
    wanted = sorted(2 * ([1, 1] + 3 * list(range(40)) + [100, 101, 102]) + [200, 201])
    need(found == wanted, f"{len(found)} lines instead of {len(wanted)}")


@test("5")
def overflow(case):
    """More events than the kernel queues while the daemon is stopped: everything is looked at again."""
    most = int(read("/proc/sys/fs/inotify/max_queued_events"))
    if most > 200_000:
        raise Skipped(f"fs.inotify.max_queued_events is {most}")
    os.mkdir(case.path("logs"))
    append(case.path("logs/feed.log"), line(0))
    for name in ("in/a", "in/b", "logs/a", "logs/b"):
        append(case.path(name), b"")
    daemon = case.start(sources=[
        case.directory("files", include=["*.txt"]), case.directory("tail", name="logs", path="logs")])
    case.wait_count(1)
    daemon.signal(signal.SIGSTOP)
    for _ in range(most // 2 + 100):  # events of the same kind on the same file would be merged
        for name in ("in/a", "in/b", "logs/a", "logs/b"):
            os.chmod(case.path(name), 0o640)
    for index in range(1, 101):
        deliver(case.path(f"in/{index}.txt"), line(index))
    append(case.path("logs/feed.log"), lines(101, 150))
    append(case.path("logs/late.log"), lines(150, 200))
    daemon.signal(signal.SIGCONT)
    case.wait_count(200)
    deliver(case.path("in/later.txt"), line(200))
    append(case.path("logs/late.log"), line(201))
    case.wait_count(202)
    daemon.stop()
    need_once(numbers(case.out), range(202))


def limited(case, limit, value):
    """The daemon in a user namespace with this limit of inotify."""
    sources = [case.directory("files", recursive=True, poll_seconds=1),
               case.directory("tail", name="logs", path="logs", poll_seconds=1)]
    for directory in ("in/one", "in/two", "in/three", "logs"):
        os.makedirs(case.path(directory))
    prefix = ["unshare", "-Ur", "sh", "-c", f"echo {value} > /proc/sys/user/{limit} || exit 99\nexec \"$@\"", "sh"]
    daemon = case.launch(prefix=prefix, sources=sources)
    wait(lambda: " ready sinks=" in daemon.log or daemon.process.poll() is not None, "ready")
    if daemon.process.poll() in (1, 99):
        raise Skipped(f"no user namespace with limits can be made: {daemon.log.strip()}")
    daemon.wait_ready()
    return daemon


@test("6")
def out_of_watches(case):
    """The sysctl is named, and directories are polled."""
    daemon = limited(case, "max_inotify_watches", 2)
    daemon.wait_log("fs.inotify.max_user_watches")
    for index, directory in enumerate(("in", "in/one", "in/two", "in/three")):
        deliver(case.path(f"{directory}/file"), line(index))
    append(case.path("logs/feed.log"), line(4))
    case.wait_count(5)
    append(case.path("logs/feed.log"), line(5))
    deliver(case.path("in/three/file2"), line(6))
    case.wait_count(7)
    daemon.stop()
    need_once(numbers(case.out), range(7))


@test("6")
def out_of_instances(case):
    """Without any inotify instance the daemon starts, names the sysctl, and polls."""
    daemon = limited(case, "max_inotify_instances", 0)
    daemon.wait_log("fs.inotify.max_user_instances")
    deliver(case.path("in/two/file"), line(0))
    append(case.path("logs/feed.log"), line(1))
    case.wait_count(2)
    append(case.path("logs/feed.log"), line(2))
    case.wait_count(3)
    daemon.stop()
    need_once(numbers(case.out), range(3))


@test("7")
def unfinished_names(case):
    """Dotfiles, *.tmp and their like are left alone; 'write, then rename' and a slow writer give a file once."""
    daemon = case.start(sources=[case.directory()])
    for index, name in enumerate((".hidden", "a.tmp", "b.txt~", ".c.swp", "d.part", "e.swp")):
        append(case.path(f"in/{name}"), line(900 + index))
    append(case.path("in/f.tmp"), lines(0, 10))
    os.rename(case.path("in/f.tmp"), case.path("in/f.txt"))
    append(case.path("outside"), lines(10, 20))
    os.rename(case.path("outside"), case.path("in/g.txt"))
    with open(case.path("in/slow.txt"), "wb", buffering=0) as file:
        file.write(lines(20, 25) + line(25)[:15])
        time.sleep(0.3)
        file.write(line(25)[15:] + lines(26, 30))
    case.wait_count(30)
    daemon.stop()
    daemon = case.start()
    deliver(case.path("in/h.txt"), line(30))
    case.wait_count(31)
    daemon.stop()
    need_once(numbers(case.out), range(31))


def checkpoints(case):
    with sqlite3.connect(f"file:{case.path('state/state.sqlite')}?mode=ro", uri=True) as state:
        return state.execute("SELECT count(*) FROM checkpoint").fetchone()[0]


@test("13, 14")
def files_that_go(case):
    """Deleted files are closed and forgotten."""
    names = [case.path(f"in/{index}.log") for index in range(30)]
    for index, name in enumerate(names):
        append(name, line(index))
    daemon = case.start(sources=[case.directory("tail")])
    case.wait_count(30)
    wait(lambda: checkpoints(case) == 30, "30 files in the state")
    for name in names[:29]:
        os.unlink(name)
    wait(lambda: not any("(deleted)" in target for target in daemon.descriptors()), "deleted files closed")
    append(names[29], line(30))
    case.wait_count(31)
    append(names[29], line(31))  # a commit that takes the forgotten along
    case.wait_count(32)
    try:
        wait(lambda: checkpoints(case) == 1, "", 10)
    finally:
        case.note = f"{checkpoints(case)} file in the state, {len(daemon.descriptors())} descriptors"
    daemon.stop()
    # Also those that go while it is down.
    os.unlink(names[29])
    append(names[0], line(32))
    daemon = case.start()
    case.wait_count(33)
    append(names[0], line(33))
    case.wait_count(34)
    wait(lambda: checkpoints(case) == 1, "one file in the state")
    daemon.stop()
    need_once(numbers(case.out), range(34))


@test("1")
def files_are_moved_and_deleted(case):
    """`after: move` and `after: delete` wait for the last answer."""
    os.mkdir(case.path("gone"))
    os.mkdir(case.path("done"))
    daemon = case.start(sources=[
        case.directory(after="move", done_directory=case.path("done")),
        case.directory(name="gone", path="gone", after="delete")])
    for index in range(20):
        deliver(case.path(f"in/{index}.txt"), lines(index * 10, index * 10 + 10))
        deliver(case.path(f"gone/{index}.txt"), lines(200 + index * 10, 210 + index * 10))
    case.wait_count(400)
    wait(lambda: len(os.listdir(case.path("done"))) == 20 and not os.listdir(case.path("gone")), "files moved, deleted")
    daemon.stop()
    need(not os.listdir(case.path("in")), "files were left behind")
    need_once(numbers(case.out), range(400))
