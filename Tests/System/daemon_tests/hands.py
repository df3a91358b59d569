"""Everyday gestures that used to damage an installation: root, Ctrl-C, a wrong promotion, two at once."""
import concurrent.futures
import hashlib
import json
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import time

from . import redistill
from .harness import (
    PATIENCE, ROOT, STUDENT, TEACHER, Skipped, answers, count, deliver, lines, need, need_once, need_root, read,
    test, wait)
from .models import copy_model

#: A user that isn't root; `nobody` is there on every system.
USER = pwd.getpwnam("nobody")


def owned_by_others(folder):
    """Entries below a folder that don't belong to USER."""
    found = []
    for place, directories, files in os.walk(folder):
        for name in directories + files:
            path = os.path.join(place, name)
            if os.lstat(path).st_uid != USER.pw_uid:
                found.append(path)
    return found


def give(folder):
    """Everything below a folder to USER."""
    for place, directories, files in os.walk(folder):
        for name in directories + files:
            os.lchown(os.path.join(place, name), USER.pw_uid, USER.pw_gid)
    os.lchown(folder, USER.pw_uid, USER.pw_gid)


def as_user():
    """Run in a child before it executes: what the service manager does."""
    os.setgid(USER.pw_gid)
    os.setgroups([USER.pw_gid])
    os.setuid(USER.pw_uid)


def run(case, *words, user=False, environment=None, **options):
    done = subprocess.run(
        [case.binary, *words], capture_output=True, stdin=subprocess.DEVNULL, cwd="/",
        preexec_fn=as_user if user else None, env=dict(os.environ, **(environment or {})), **options)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def need_readable(case):
    """USER must be able to read the models and to run the program."""
    done = subprocess.run(
        ["test", "-r", f"{STUDENT}/config.json", "-a", "-r", f"{TEACHER}/config.json", "-a", "-x", case.binary],
        preexec_fn=as_user, check=False)
    if done.returncode:
        raise Skipped(f"the user {USER.pw_name} can't read the models or run the program")


def digest(folder):
    """What a directory holds, as one number."""
    total = hashlib.sha256()
    for place, directories, files in sorted(os.walk(folder)):
        directories.sort()
        for name in sorted(files):
            total.update(f"{place}/{name}\n".encode() + read(os.path.join(place, name)))
    return total.hexdigest()


def hidden(folder):
    """Hidden leftovers, but for the registry's lock."""
    return [name for name in os.listdir(folder) if name.startswith(".") and name != ".lock"]


# --- root

@test("31")
def root_leaves_nothing_behind(case):
    """Every verb, typed as root in a service's state directory: nothing there belongs to root, the service goes on."""
    need_root()
    need_readable(case)
    redistill.prepare(case)
    # Only the owner's own directories are there to be written.
    case.write_config(http=None)
    shared = redistill.workshop(case)
    os.chmod(shared, 0o755)
    os.chmod(case.folder, 0o755)
    give(case.path("state"))
    for name in ("in", "out"):
        give(case.path(name))
    export = run(case, "disagreements", "export", "--config", case.config)[1].splitlines()
    labels = [{"id": json.loads(text)["id"], "label": json.loads(text)["teacher_label"]} for text in export[:5]]
    redistill.write_rows(case.path("labels.jsonl"), labels)
    config = ["--config", case.config]

    def typed(*words, status=0):
        found, out, errors = run(case, *words)
        need(found == status, f"{words} ended with {found}: {out[-300:]}{errors[-500:]}")
        left = owned_by_others(case.path("state"))
        need(not left, f"{words} as root leaves {left}")
        need("note: running as user 'nobody'" in errors, f"{words} doesn't say as whom: {errors}")
        return out, errors

    typed("redistill", *config, "--dry-run")
    typed("disagreements", "list", *config)
    typed("disagreements", "stats", *config)
    typed("disagreements", "export", *config)
    typed("disagreements", "label", *config, "--from", case.path("labels.jsonl"))
    typed("disagreements", "label", "--state", case.path("state"), "--from", case.path("labels.jsonl"))
    typed("models", "list", *config)
    typed("models", "promote", "v1", *config)
    typed("models", "promote", STUDENT + "/", *config)
    typed("models", "show", *config)
    typed("models", "rollback", *config)
    typed("models", "rollback", "--configured", *config)
    # What only root can read is named, with what to type; nothing has been changed.
    private = copy_model(STUDENT, case.path("private"), lambda config: config.update(version="private"))
    os.chmod(private, 0o700)
    _, errors = typed("models", "promote", private, *config, status=77)
    need(f"sudo -u nobody {case.binary} models promote {private}" in errors, f"it doesn't say what to type: {errors}")
    # The nightly run, as the service's user, finds its rows new again.
    with sqlite3.connect(case.path("state/state.sqlite")) as state:
        state.execute("DELETE FROM run")
    give(case.path("state"))
    status, out, errors = run(case, "redistill", *config, user=True)
    need(status == 0 and "report: " in out, f"the run after root's ended with {status}: {out}{errors}")
    # The daemon started as root runs as the owner, and the service's own start works afterwards.
    for starts_as_root in (True, False):
        log = open(case.path("log"), "ab")
        process = subprocess.Popen(
            [case.binary, "run", *config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, cwd="/",
            preexec_fn=None if starts_as_root else as_user)
        try:
            before = count(case.out)
            name = f"more-{starts_as_root}.jsonl"
            with open(case.path(f"in/.{name}"), "w", encoding="utf-8") as file:
                file.write(json.dumps({"text": f"{name} 主场三比一逆转"}, ensure_ascii=False) + "\n")
            give(case.path("in"))
            os.rename(case.path(f"in/.{name}"), case.path(f"in/{name}"))
            wait(lambda: count(case.out) > before or process.poll() is not None, "an answer")
            need(process.poll() is None, f"the daemon ended with {process.poll()}")
            fields = read(f"/proc/{process.pid}/status").decode()
            for kind, number in (("Uid", USER.pw_uid), ("Gid", USER.pw_gid)):
                ids = [text.split()[1:] for text in fields.splitlines() if text.startswith(kind + ":")][0]
                need(ids == [str(number)] * 4, f"it runs as {kind} {ids}")
            process.send_signal(signal.SIGTERM)
            need(process.wait(timeout=PATIENCE) == 0, "it doesn't end well")
        finally:
            process.kill()
            process.wait()
            log.close()
        left = owned_by_others(case.path("state"))
        need(not left, f"the daemon started as root leaves {left}")


@test("31")
def root_and_directories_that_are_not_there(case):
    """A state directory that root is the first to need belongs to the owner of the one above it; root's stays root's."""
    need_root()
    need_readable(case)
    os.chmod(case.folder, 0o755)
    home = case.path("home")
    os.mkdir(home)
    os.chown(home, USER.pw_uid, USER.pw_gid)
    for directory, owner in ((f"{home}/deep/state", USER.pw_uid), (case.path("roots/state"), 0)):
        case.write_config(
            sources=[case.directory()], state={"directory": directory},
            redistill={"train": case.path("train.jsonl"), "holdout": case.path("holdout.jsonl")})
        status, out, errors = run(case, "models", "promote", STUDENT + "/", "--config", case.config)
        need(status == 0, f"promote ended with {status}: {out}{errors}")
        for path in (directory, f"{directory}/students", f"{directory}/students/current"):
            need(os.lstat(path).st_uid == owner, f"{path} belongs to {os.lstat(path).st_uid}")
        need(("running as user" in errors) == (owner != 0), errors)
    # A user without a name.
    directory = case.path("numbered")
    os.mkdir(directory)
    os.chown(directory, 54321, 54322)
    case.write_config(state={"directory": directory})
    status, out, errors = run(case, "models", "promote", STUDENT + "/", "--config", case.config)
    need(status == 0 and "user number 54321" in errors, f"{status}: {out}{errors}")
    found = os.lstat(f"{directory}/students/registry.json")
    need((found.st_uid, found.st_gid) == (54321, 54322), f"it belongs to {found.st_uid}, {found.st_gid}")


# --- interrupted training

def lines_of(case, name, held=False):
    """Labelled lines from the sample: three of four, or each fourth."""
    rows = [text.rstrip("\n").split("\t") for text in open(f"{ROOT}/share/sample/headlines.tsv", encoding="utf-8")]
    path = case.path(name)
    redistill.write_rows(path, [{"text": row[1], "label": row[0]} for index, row in enumerate(rows)
                                if (index % 4 == 3) == held])
    return path


@test("30")
def interrupted_training_keeps_or_does_nothing(case):
    """Stopped at each step of `distill` and `train teacher`: 75 and the model before, byte for byte, or a measured epoch."""
    train, held = lines_of(case, "train.jsonl"), lines_of(case, "held.jsonl", held=True)
    small = ["--hidden-size", "8", "--embedding-size", "8", "--dense-size", "8", "--shortcut-bits", "8", "--augment",
             "10", "--batch", "20", "--epochs", "2"]
    verbs = {
        "student": ["distill", "--teacher", TEACHER, "--train", train, "--validation", held, *small],
        "alone": ["distill", "--no-teacher", "--train", train, "--validation", held, *small],
        "teacher": ["train", "teacher", "--base", TEACHER, "--train", train, "--validation", held, "--layers", "1",
                    "--epochs", "2", "--batch", "20"],
    }
    notes = []
    for name, words in verbs.items():
        folder = case.path(name)
        os.mkdir(folder)
        shutil.copytree(TEACHER if name == "teacher" else STUDENT, f"{folder}/out")
        before = digest(f"{folder}/out")
        nothing = kept = 0
        # Every look up to the first model that is kept, then in larger steps to the end.
        look = 0
        while True:
            look += 1 if kept == 0 else 3
            need(look < 200, f"{name}: there is no end to the looks")
            status, out, errors = run(
                case, *words, "--out", f"{folder}/out", environment={"UNDERSTUDY_INTERRUPT_AT": str(look)})
            leftovers = hidden(folder)
            need(not leftovers, f"{name}: stopped at look {look} it leaves {leftovers}")
            if status == 75:
                nothing += 1
                need(kept == 0, f"{name}: nothing is kept at look {look}, though something was before")
                need(digest(f"{folder}/out") == before, f"{name}: stopped at look {look}, the model has changed")
                need("nothing" in errors and "written" in errors, f"{name}: it isn't said: {errors[-300:]}")
                continue
            need(status == 0, f"{name}: stopped at look {look} it ends with {status}: {errors[-300:]}")
            metrics = json.loads(read(f"{folder}/out/metrics.json"))
            need(metrics["best_epoch"] >= 1, f"{name}: an epoch that wasn't measured is kept at look {look}")
            if not metrics["interrupted"]:
                need("interrupted:" not in errors, errors)
                break
            kept += 1
            need("interrupted: " in errors and "is kept" in errors, f"{name}: it isn't said: {errors[-300:]}")
        need(nothing >= 3 and kept >= 1, f"{name}: {nothing} times nothing, {kept} times an epoch")
        notes.append(f"{name} {nothing}+{kept}")
    case.note = "nothing+kept: " + ", ".join(notes)


@test("30")
def interrupted_runs_change_nothing(case):
    """A run of re-distillation that is stopped at any step ends with 75; nothing is promoted, the next run does its work."""
    redistill.prepare(case, lines=300, epochs=1)
    look = 1
    stops = 0
    while True:
        status, out, errors = redistill.run(
            case, "redistill", "--config", case.config, environment={"UNDERSTUDY_INTERRUPT_AT": str(look)})
        redistill.need_clean(case)
        if status == 0:
            break
        stops += 1
        need(status == 75 and "interrupted; the serving student is kept" in errors,
             f"stopped at look {look} it ends with {status}: {out[-200:]}{errors[-300:]}")
        need(redistill.serving(case) is None, "something was promoted")
        need(set(redistill.runs(case)) == {"interrupted"}, f"runs: {redistill.runs(case)}")
        look = look + 1 if look < 6 else look * 3 // 2
    need(stops >= 8 and redistill.runs(case)[-1] in ("promoted", "refused"), f"{stops} stops: {redistill.runs(case)}")
    case.note = f"stopped at {stops} looks, the last below {look}"


@test("30")
def second_signal_ends_at_once(case):
    """The first Ctrl-C says what it does; the second ends the process as the signal would, and removes what is half done."""
    # Reading this never ends.
    os.mkfifo(case.path("pipe.jsonl"))
    log = case.path("errors")
    with open(log, "wb") as errors:
        process = subprocess.Popen(
            [case.binary, "distill", "--no-teacher", "--train", case.path("pipe.jsonl"), "--out", case.path("made")],
            stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
    try:
        # A signal before the program has blocked it ends it: not what is to be seen here.
        wait(lambda: blocks(process.pid, signal.SIGINT) or process.poll() is not None, "the program's beginning")
        process.send_signal(signal.SIGINT)
        wait(lambda: b"a second signal ends it at once" in read(log) or process.poll() is not None, "the sentence")
        need(process.poll() is None, f"it ended with {process.poll()} at the first signal: {read(log).decode()}")
        process.send_signal(signal.SIGINT)
        need(process.wait(timeout=2 * PATIENCE) == -signal.SIGINT, f"it ended with {process.returncode}")
    finally:
        process.kill()
        process.wait()
    # A run of re-distillation that gets both at a time leaves no workplace, whether the second ends it or the first.
    redistill.prepare(case, epochs=1000)
    process = subprocess.Popen(
        [case.binary, "redistill", "--config", case.config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        workplace = case.path("state/redistill.work")
        wait(lambda: os.path.isdir(workplace) or process.poll() is not None, "the workplace")
        for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
            process.send_signal(number)
        need(process.wait(timeout=2 * PATIENCE) in (-signal.SIGINT, -signal.SIGTERM, 75),
             f"the run ended with {process.returncode}")
        case.note = f"the run ended with {process.returncode}"
    finally:
        process.kill()
        process.wait()
    redistill.need_clean(case)


def blocks(pid, number):
    """Whether all signals of this number are held back from the process's first thread."""
    for text in read(f"/proc/{pid}/status").decode().splitlines():
        if text.startswith("SigBlk:"):
            return bool(int(text.split()[1], 16) >> (number - 1) & 1)
    return False


# --- promotions

def other_labels(case, name="weather"):
    """A student whose labels aren't the teacher's."""
    return copy_model(STUDENT, case.path(name), lambda config: config.update(
        version=name, labels=["weather", *config["labels"][1:]]))


def named(case, name):
    """A student with a name of its own."""
    return copy_model(STUDENT, case.path(name), lambda config: config.update(version=name))


def with_registry(case, **changes):
    for name in ("train.jsonl", "holdout.jsonl"):
        lines_of(case, name)
    case.write_config(
        models={"student": STUDENT, "teacher": TEACHER}, cascade={"threshold": 0, "audit_share": 0},
        sources=[case.directory()],
        redistill={"train": case.path("train.jsonl"), "holdout": case.path("holdout.jsonl")}, **changes)


def models(case, *words, status=0):
    found, out, errors = run(case, "models", *words, "--config", case.config)
    need(found == status, f"models {words} ended with {found}, expected {status}: {out}{errors}")
    return out if status == 0 else errors


def current(case):
    link = case.path("state/students/current")
    return os.readlink(link) if os.path.lexists(link) else None


def answered_by(case, number):
    """Delivers a line and gives the student that answers it."""
    before = count(case.out)
    deliver(case.path(f"in/line-{number}"), lines(number, number + 1))
    case.wait_count(before + 1)
    return answers(case.out)[-1]["student"]


@test("17 18")
def promotions_are_checked_first(case):
    """What the daemon would refuse isn't promoted, whatever is forced: other labels, broken files, a sink's filter."""
    with_registry(case)
    models(case, "promote", named(case, "good"))
    wrong = other_labels(case)
    for force in ([], ["--force"]):
        errors = models(case, "promote", wrong, *force, status=65)
        need("the daemon would refuse it" in errors and "weather" in errors, errors)
    cut = copy_model(STUDENT, case.path("cut"), lambda config: config.update(version="cut"))
    data = read(f"{cut}/model.safetensors")
    os.remove(f"{cut}/model.safetensors")
    with open(f"{cut}/model.safetensors", "wb") as file:
        file.write(data[:len(data) // 2])
    models(case, "promote", cut, status=65)
    need(current(case) == "good", f"{current(case)} serves")
    need(sorted(os.listdir(case.path("state/students"))) == [".lock", "current", "good", "registry.json"],
         f"refused students are in the registry: {os.listdir(case.path('state/students'))}")
    # Without a teacher other labels are a matter of force, and of the sinks.
    case.write_config(models={"student": STUDENT})
    errors = models(case, "promote", wrong, status=65)
    need("--force promotes it anyway" in errors, errors)
    models(case, "promote", wrong, "--force")
    need(current(case) == "weather", "force did nothing")
    models(case, "rollback")
    case.write_config(sinks=[case.file_sink(labels=["car"])])
    renamed = copy_model(STUDENT, case.path("renamed"), lambda config: config.update(
        version="renamed", labels=[f"x-{label}" for label in config["labels"]]))
    errors = models(case, "promote", renamed, "--force", status=78)
    need("selects the label 'car'" in errors, errors)
    need(current(case) == "good", f"{current(case)} serves")


@test("17 18")
def refused_students_are_on_the_page(case):
    """A link flipped by hand to a student that can't serve: the old one answers, the status warns, health stays 200."""
    with_registry(case)
    models(case, "promote", named(case, "good"))
    daemon = case.start()
    # As `ln -sfn` by hand, past every check.
    shutil.copytree(other_labels(case), case.path("state/students/weather"))
    os.symlink("weather", case.path("state/students/.by-hand"))
    os.rename(case.path("state/students/.by-hand"), case.path("state/students/current"))
    wait(lambda: any("was refused" in text for text in json.loads(daemon.get("/status")[1])["warnings"]), "a warning")
    status = json.loads(daemon.get("/status")[1])
    warning = [text for text in status["warnings"] if "was refused" in text][0]
    need("good serves instead" in warning and "weather" in warning, warning)
    need(status["phase"] == "ready" and daemon.get("/healthz")[0] == 200, "it isn't healthy")
    need("was refused" in daemon.get("/")[1] and "All is well" not in daemon.get("/")[1], "the page says nothing")
    found, out, _ = run(case, "status", "--config", case.config)
    need(found == 0 and "Running, with a warning" in out and "All is well" not in out, out)
    need(answered_by(case, 1) == "good", "another student answers")
    # Promoting the same again ends it, and so does any other.
    models(case, "promote", named(case, "better"))
    daemon.wait_log("student=better")
    wait(lambda: json.loads(daemon.get("/status")[1])["warnings"] == [], "the end of the warning")
    need(answered_by(case, 2) == "better", "the better student doesn't answer")
    daemon.stop()


@test("17 18 30")
def starts_with_a_broken_student(case):
    """A daemon whose promoted student can't serve begins with the one before, or the configured one, and says so."""
    with_registry(case)
    models(case, "promote", named(case, "good"))
    models(case, "promote", named(case, "better"))
    students = case.path("state/students")
    for name in ("better", "good"):
        config = json.loads(read(f"{students}/{name}/config.json"))
        config["labels"][0] = "weather"
        os.remove(f"{students}/{name}/config.json")
        redistill.write_rows(f"{students}/{name}/config.json", [config])
        expected = "good" if name == "better" else "student"
        daemon = case.start()
        need(answered_by(case, len(case.daemons)) == expected, f"without {name}, another than {expected} answers")
        warnings = json.loads(daemon.get("/status")[1])["warnings"]
        need(len(warnings) == 1 and f"{expected} serves instead" in warnings[0], f"warnings: {warnings}")
        need(daemon.get("/healthz")[0] == 200, "it isn't healthy")
        need(daemon.count_log("fingerprint") == 1, f"it isn't said once: {daemon.log}")
        need(current(case) == "better", "the daemon has changed the registry")
        # Still so after a reload.
        daemon.reload("reloaded")
        need(answered_by(case, 10 + len(case.daemons)) == expected, "another answers after a reload")
        if name == "good":
            # The student before is damaged as well: that is said, with the way out.
            errors = models(case, "rollback", status=65)
            need("--configured rolls back" in errors, errors)
            out = models(case, "rollback", "--configured")
            need("the configured student" in out and "serves again instead of better" in out, out)
            wait(lambda: json.loads(daemon.get("/status")[1])["warnings"] == [], "the end of the warning")
        daemon.stop()
    need(current(case) is None, "a version serves after all")
    # Nothing is left to fall back to: the first reason is the answer.
    models(case, "promote", named(case, "last"))
    os.remove(f"{students}/last/config.json")
    case.write_config(models={"student": case.path("gone"), "teacher": TEACHER})
    daemon = case.launch()
    need(daemon.process.wait(timeout=2 * PATIENCE) in (65, 66), f"it ended with {daemon.process.returncode}")


@test("18")
def rollbacks_always_return(case):
    """Without a student before, a rollback leads to the configured pair, under load, and says so; then there is nothing."""
    with_registry(case)
    daemon = case.start()
    need(answered_by(case, 1) == "student", "the configured student doesn't answer")
    models(case, "promote", named(case, "good"))
    daemon.wait_log("as the serving student student=good")
    out = models(case, "rollback", "--bar", "no good")
    need("the configured student" in out and "instead of good, which is rejected" in out, out)
    daemon.wait_log("as the serving student student=student")
    need(answered_by(case, 2) == "student", "the configured student doesn't answer again")
    need(current(case) is None, "the link is still there")
    errors = models(case, "rollback", status=66)
    need("nothing to roll back to" in errors, errors)
    listed = models(case, "list")
    need("barred" in listed and "current" not in listed, listed)
    # Promoted again by a person, and back by the student before.
    models(case, "promote", "good")
    models(case, "promote", named(case, "better"))
    need("good serves again instead of better" in models(case, "rollback"), "it doesn't go back to good")
    daemon.wait_log("as the serving student student=good", 2)
    daemon.stop()
    # Where models.student is the link itself, there has to be one.
    case.write_config(redistill=None, models={"student": case.path("state/students/current"), "teacher": TEACHER})
    models(case, "rollback", status=66)
    need(current(case) == "good", "the only link is gone")


@test("18")
def promotions_race_and_are_killed(case):
    """Many promotions at once, of the same and of other directories, and kills at each step: never 73, always whole."""
    with_registry(case)
    sources = [named(case, "one"), named(case, "two")]
    same = copy_model(STUDENT, case.path("same"), lambda config: config.update(version="one", note="another"))
    sources.append(same)
    rounds = 10 if case.is_long else 3
    for _ in range(rounds):
        with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
            done = list(pool.map(
                lambda source: run(case, "models", "promote", source, "--config", case.config), sources * 2))
        # 75 says that the registry was locked for seconds.
        need({status for status, _, _ in done} <= {0, 75}, f"races ended with {[entry[0::2] for entry in done]}")
        need(any(status == 0 for status, _, _ in done), "none was promoted")
    need(sorted(name for name in os.listdir(case.path("state/students")) if not name.startswith((".", "registry")))
         in (["current", "one", "one-2", "previous", "two"], ["current", "one", "one-2", "two"]),
         f"the registry holds {os.listdir(case.path('state/students'))}")
    serving = current(case)
    for number, point in enumerate(["adopted", "promoting", "flipping", "promoted"]):
        source = named(case, f"killed-{number}")
        status, out, errors = run(
            case, "models", "promote", source, "--config", case.config, environment={"UNDERSTUDY_CRASH_AT": point})
        need(status == -signal.SIGKILL, f"not killed at {point}: {status} {out}{errors}")
        models(case, "show")
        if point != "promoted":
            need(current(case) == serving, f"killed at {point}, {current(case)} serves")
        models(case, "promote", source)
        serving = current(case)
        need(serving == f"killed-{number}", f"after {point}, {serving} serves")
        need(not hidden(case.path("state/students")), f"after {point}: {hidden(case.path('state/students'))}")
        for point_back in ("promoting", "flipping", "promoted"):
            shutil.rmtree(case.path("copy"), ignore_errors=True)
            shutil.copytree(case.path("state"), case.path("copy"), symlinks=True)
            for words in (["rollback"], ["rollback", "--configured"]):
                status, _, _ = run(
                    case, "models", *words, "--config", case.config, environment={"UNDERSTUDY_CRASH_AT": point_back})
                need(status == -signal.SIGKILL, f"not killed at {point_back}: {status}")
                status, out, errors = run(case, "models", *words, "--config", case.config)
                # 66: killed after the last flip, there is nothing more to go back to.
                need(status in (0, 66), f"{words} after a kill at {point_back} ended with {status}: {out}{errors}")
                shutil.rmtree(case.path("state"))
                shutil.copytree(case.path("copy"), case.path("state"), symlinks=True)
            if number:
                break
    # Names that other things have are passed over.
    with open(case.path("state/students/taken"), "w", encoding="utf-8") as file:
        file.write("not a student")
    models(case, "promote", named(case, "taken"))
    need(current(case) == "taken-2", f"{current(case)} serves")


# --- all at once

@test("9 18")
def everything_at_once(case):
    """Runs beside promotions, rollbacks, reloads and a stream: each ends as documented, no line is lost or doubled."""
    redistill.prepare(case, minimum_new_rows=1, epochs=1, log_rows=200, replay_rows=50, gate={"maximum_possible_loss": 1})
    daemon = case.start()
    before = count(case.out)
    sources = [named(case, "one"), named(case, "two")]
    end = []
    outcomes = {"redistill": [], "promote": [], "rollback": []}
    config = ["--config", case.config]

    def repeat(kind, *variants):
        turn = 0
        while not end:
            outcomes[kind].append(run(case, *variants[turn % len(variants)], *config))
            turn += 1

    def reload():
        while not end:
            daemon.signal(signal.SIGHUP)
            time.sleep(0.2)

    fed = [0]

    def feed():
        while not end:
            rows = "".join(json.dumps({"text": f"{fed[0] + index:08d} {text}"}, ensure_ascii=False) + "\n"
                           for index, text in enumerate(redistill.headlines(20, fed[0])))
            deliver(case.path(f"in/{fed[0]:08}.jsonl"), rows.encode())
            fed[0] += 20
            time.sleep(0.2)

    threads = [
        case.feed(repeat, "redistill", ["redistill"]),
        case.feed(repeat, "promote", *(["models", "promote", source] for source in sources)),
        case.feed(repeat, "rollback", ["models", "rollback"], ["models", "rollback", "--configured"]),
        case.feed(reload), case.feed(feed)]
    rounds = 20 if case.is_long else 4
    wait(lambda: len(outcomes["redistill"]) >= rounds and len(outcomes["promote"]) >= 2 * rounds
         and len(outcomes["rollback"]) >= 2 * rounds or daemon.process.poll() is not None, "the rounds", 20 * PATIENCE)
    end.append(True)
    for thread in threads:
        thread.join()
    need(daemon.process.poll() is None, f"the daemon ended with {daemon.process.poll()}")
    allowed = {
        # 66: what was promoted last was taken back already.
        "redistill": {0, 75}, "promote": {0, 75}, "rollback": {0, 66, 75}}
    for kind, found in outcomes.items():
        for status, out, errors in found:
            need(status in allowed[kind], f"{kind} ended with {status}: {out[-200:]}{errors[-400:]}")
    need(any(status == 0 for status, _, _ in outcomes["redistill"]) or
         any("during the run" in errors or "meanwhile" in errors for _, _, errors in outcomes["redistill"]),
         "no run came to its end")
    models(case, "promote", sources[0])
    wait(lambda: json.loads(daemon.get("/status")[1])["student_model"]["version"] == "one", "the last promotion")
    case.wait_count(before + fed[0])
    warnings = json.loads(daemon.get("/status")[1])["warnings"]
    need(not any("refused" in text for text in warnings), f"warnings: {warnings}")
    redistill.serving(case)
    daemon.stop()
    redistill.need_clean(case)
    need_once([int(answer["text"][:8]) for answer in answers(case.out)[before:]], range(fed[0]))
    statuses = {kind: sorted({status for status, _, _ in found}) for kind, found in outcomes.items()}
    case.note = f"{len(outcomes['redistill'])} runs, {fed[0]} lines, {statuses}"
