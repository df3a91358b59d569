"""What the daemon believes about the files that it reads."""
import os
import time

from .harness import append, lines, need, need_once, numbers, test


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
    for said in ("leads out of the directory", "leads in a circle", "leads to nothing"):
        daemon.wait_log(said)
    time.sleep(2.5)  # two more looks
    need(daemon.count_log("leads in a circle") == 1, "a circle of links is said again and again")
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
