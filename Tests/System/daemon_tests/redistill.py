"""Re-distillation as its user runs it: beside a daemon, on a log that a daemon has written, and against bad input."""
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time

from .harness import (
    PATIENCE, STUDENT, TEACHER, Failed, count, deliver, need, need_root, read, test, wait)

#: Words from which headlines are put together: who, does what, with what.
WORDS = {
    "car": ("新款轿车 电动汽车 国产越野车 豪华品牌 二手车商 自动驾驶卡车 混动车型 老款面包车",
            "正式上市 大幅降价 召回返厂 亮相车展 续航提升 销量大涨 发动机升级 通过碰撞测试",
            "起售价公布 轮胎更耐磨 内饰焕然一新 油耗再创新低 电池终身质保 底盘重新调校"),
    "culture": ("古代壁画 民间剪纸 京剧名家 书法大展 博物馆文物 传统村落 诗词大会 年画艺人",
                "再现风采 走进校园 引来热议 传承百年 修复完成 首次公开 登上舞台 编入图册",
                "见证千年历史 吸引众多观众 讲述古老故事 凝聚匠人心血 成为城市名片 感动几代人"),
    "edu": ("高考考生 小学老师 大学校长 研究生招生 幼儿园家长 职业学校 英语课堂 毕业班学生",
            "迎来新规 调整方案 公布分数线 开设新课 备战考试 减轻负担 举办讲座 申请奖学金",
            "家长需要知道 志愿填报有讲究 学习方法很重要 作业时间缩短 名师现场答疑 录取通知已寄出"),
    "game": ("手机游戏 王者玩家 电竞战队 单机大作 网游公会 新英雄 主机平台 赛季皮肤",
             "更新版本 爆出彩蛋 夺得连胜 开放内测 装备调整 上线活动 惨遭削弱 冲上热搜",
             "玩家直呼过瘾 攻略已经整理 副本难度翻倍 技能连招更流畅 抽卡概率公开 段位快速提升"),
    "sports": ("国家女排 主场球队 马拉松选手 乒乓小将 篮球新秀 足球前锋 游泳队 网球老将",
               "赢得决赛 惜败对手 刷新纪录 伤愈复出 首轮出局 加时绝杀 成功卫冕 备战奥运",
               "教练赛后点评 球迷彻夜欢呼 裁判判罚引争议 主力阵容公布 奖牌榜更新 转会传闻再起"),
}
LOG_LINES = 700
KEEP = {}
LOCK = threading.Lock()


def headlines(number, seed):
    """So many different headlines, in a random order."""
    chance = random.Random(seed)
    found = {f"{who}{does}，{what}" for groups in WORDS.values()
             for who in groups[0].split() for does in groups[1].split() for what in groups[2].split()}
    return chance.sample(sorted(found), number)


def write_rows(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def run(case, *words, environment=None):
    done = subprocess.run(
        [case.binary, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
        env=dict(os.environ, **(environment or {})))
    return done.returncode, done.stdout, done.stderr


def need_run(case, *words):
    status, out, errors = run(case, *words)
    need(status == 0, f"{words[0]} ended with {status}: {errors[-400:]}")
    return out


def workshop(case):
    """Made once: labelled lines, a student that could be better, and a state whose log holds what the teacher said."""
    with LOCK:
        if "failure" in KEEP:
            raise Failed(KEEP["failure"])
        if "folder" not in KEEP:
            try:
                KEEP["folder"] = make_workshop(case)
            except Failed as failure:
                KEEP["failure"] = str(failure)
                raise
    return KEEP["folder"]


def make_workshop(case):
    folder = tempfile.mkdtemp(prefix="understudy-redistill.")
    texts = headlines(LOG_LINES + 600, 1)
    with open(f"{folder}/texts", "w", encoding="utf-8") as file:
        file.write("\n".join(texts) + "\n")
    with open(f"{folder}/texts", "rb") as file:
        done = subprocess.run(
            [case.binary, "classify", "--student", STUDENT, "--teacher", TEACHER, "--defer-below", "1"],
            stdin=file, capture_output=True)
    labelled = [{"text": answer["text"], "label": answer["label"]}
                for answer in map(json.loads, done.stdout.decode().splitlines())]
    need(len(labelled) == len(texts), "the teacher didn't label all lines")
    write_rows(f"{folder}/holdout.jsonl", labelled[:300])
    write_rows(f"{folder}/train.jsonl", labelled[300:600])
    # Taught wrong labels for a moment: there is something to be learnt again.
    chance = random.Random(2)
    wrong = [dict(row, label=chance.choice(sorted(WORDS))) for row in labelled[300:600]]
    write_rows(f"{folder}/wrong.jsonl", wrong)
    need_run(case, "distill", "--start", STUDENT, "--no-teacher", "--train", f"{folder}/wrong.jsonl", "--epochs", "6",
             "--learning-rate", "0.005", "--out", f"{folder}/weak", "--seed", "0")
    write_rows(f"{folder}/log.jsonl", [{"text": row["text"]} for row in labelled[600:]])
    return folder


def prepare(case, lines=LOG_LINES, **redistill):
    """Gives the case a state with a log, and the settings of a run."""
    folder = workshop(case)
    for name in ("train.jsonl", "holdout.jsonl"):
        shutil.copy(f"{folder}/{name}", case.path(name))
    gate = redistill.pop("gate", {})
    case.write_config(
        models={"student": f"{folder}/weak", "teacher": TEACHER},
        cascade={"threshold": 1, "batch_wait_milliseconds": 0},
        sources=[case.directory(input="jsonl", field="text", include=["*.jsonl"])],
        redistill={"train": case.path("train.jsonl"), "holdout": case.path("holdout.jsonl"), "minimum_new_rows": 100,
                   "epochs": 4, "gate": gate, **redistill})
    with LOCK:
        if lines == LOG_LINES and "state" in KEEP:
            shutil.rmtree(case.path("state"))
            shutil.copytree(KEEP["state"], case.path("state"))
            return case
        daemon = case.start()
        rows = read(f"{folder}/log.jsonl").splitlines(keepends=True)[:lines]
        deliver(case.path("in/log.jsonl"), b"".join(rows))
        case.wait_count(lines)
        daemon.stop()
        if lines == LOG_LINES:
            KEEP["state"] = f"{folder}/state"
            shutil.copytree(case.path("state"), KEEP["state"])
    return case


def redistill(case, *options, status=0, environment=None):
    found, out, errors = run(case, "redistill", "--config", case.config, *options, environment=environment)
    need(found == status, f"redistill ended with {found}, expected {status}: {out[-300:]}{errors[-500:]}")
    return out if status == 0 else errors


def serving(case):
    """The version that `current` leads to; None where there is none. It must be whole."""
    link = case.path("state/students/current")
    if not os.path.lexists(link):
        return None
    need_run(case, "models", "show", "--config", case.config)
    return os.readlink(link)


def report(out):
    """The page that a run has left; it needs nothing from elsewhere."""
    path = [line for line in out.splitlines() if line.startswith("report: ")][0].removeprefix("report: ")
    page = read(path).decode()
    for wrong in ("<script", "http://", "https://", "src=", "@import", "url("):
        need(wrong not in page, f"the report holds {wrong}")
    need("default-src 'none'" in page and "The gate" in page, "the report isn't what it should be")
    return page


def runs(case):
    with sqlite3.connect(f"file:{case.path('state/state.sqlite')}?mode=ro", uri=True) as state:
        return [bytes(row[0]).decode() for row in state.execute("SELECT outcome FROM run ORDER BY number")]


def need_clean(case):
    left = [name for name in os.listdir(case.path("state")) if name in ("redistill.work", "redistill.request")]
    left += [name for name in os.listdir(case.path("state/students")) if name.startswith(".") and name != ".lock"] \
        if os.path.exists(case.path("state/students")) else []
    need(not left, f"a run leaves {left}")


# --- what a run is for

@test("17 18 21")
def a_run_promotes_and_the_daemon_follows(case):
    """A better student is let in, the running daemon takes it up and loses no line; a rollback brings the old one back."""
    prepare(case)
    daemon = case.start()
    before = count(case.out)
    feeding = threading.Event()

    def feed():
        number = 0
        while not feeding.is_set():
            number += 1
            rows = "".join(json.dumps({"text": f"第{number}批{text}"}, ensure_ascii=False) + "\n"
                           for text in headlines(20, number))
            deliver(case.path(f"in/{number:05}.jsonl"), rows.encode())
            time.sleep(0.3)
        case.fed = number * 20
    feeder = case.feed(feed)
    out = redistill(case)
    need("v1 serves from now on" in out and "FAILED" not in out, f"no promotion: {out}")
    daemon.wait_log("as the serving student student=v1")
    need(serving(case) == "v1", "the link doesn't lead to v1")
    page = report(out)
    need(page.count("<svg") >= 5 and "v1</bdi> serves from now on" in page, "the report lacks its charts")
    out = need_run(case, "models", "rollback", "--config", case.config)
    need("serves again instead of v1" in out, out)
    wait(lambda: daemon.count_log("as the serving student") >= 3, "the daemon goes back")
    feeding.set()
    feeder.join()
    case.wait_count(before + case.fed)
    daemon.stop()
    need(count(case.out) == before + case.fed, "lines were lost or answered twice")
    need_clean(case)


@test("17")
def nothing_to_do(case):
    """Too few new rows, or no log at all, is no failure; a dry run promotes nothing."""
    prepare(case)
    out = redistill(case, "--dry-run")
    need("passed; nothing was promoted" in out and serving(case) is None, f"a dry run promoted: {out}")
    listed = need_run(case, "models", "list", "--config", case.config)
    need("v1" in listed and "current" not in listed, listed)
    redistill(case)
    need(serving(case) == "v2", "the run after the dry one doesn't promote")
    out = redistill(case)
    need("nothing to do: 0 new rows" in out, out)
    need(runs(case) == ["passed", "promoted"], f"runs: {runs(case)}")
    shutil.rmtree(case.path("state"))
    need("nothing to do: there is no log yet" in redistill(case), "no log is a failure")


@test("21")
def refusals(case):
    """Shuffled labels, a tiny log, a missing class, a holdout in the log: each refused with its reason, exit 0."""
    prepare(case)
    holdout = [json.loads(line) for line in read(case.path("holdout.jsonl")).decode().splitlines()]
    log = [json.loads(line) for line in need_run(
        case, "disagreements", "export", "--config", case.config).splitlines()]

    def refused(reason, **changes):
        case.write_config(redistill={**case.settings["redistill"], **changes})
        out = redistill(case)
        need("refused, the serving student is kept" in out and reason in out, f"no refusal for '{reason}': {out}")
        need(serving(case) is None, "something was promoted")
        need("Refused: the serving student is kept" in report(out), "the report doesn't say that it was refused")
        with sqlite3.connect(case.path("state/state.sqlite")) as state:
            state.execute("DELETE FROM run")

    write_rows(case.path("few.jsonl"), [row for row in holdout if row["label"] != "game"])
    refused("lines of each class in the holdout", holdout=case.path("few.jsonl"))
    write_rows(case.path("seen.jsonl"), holdout + [
        {"text": entry["text"], "label": entry["teacher_label"]} for entry in log[:40]])
    refused("overlap of holdout and log", holdout=case.path("seen.jsonl"))
    write_rows(case.path("small.jsonl"), holdout[:60])
    refused("lines of the holdout", holdout=case.path("small.jsonl"))
    labels = [entry["teacher_label"] for entry in log]
    random.Random(3).shuffle(labels)
    write_rows(case.path("labels.jsonl"), [
        {"id": entry["id"], "label": label} for entry, label in zip(log, labels)])
    need_run(case, "disagreements", "label", "--config", case.config, "--from", case.path("labels.jsonl"))
    refused("accuracy on the holdout", holdout=case.path("holdout.jsonl"), replay_rows=0)


@test("17")
def useless_training(case):
    """A learning rate that ruins the student: refused, or an error; never promoted."""
    prepare(case, learning_rate=1)
    status, out, _ = run(case, "redistill", "--config", case.config)
    need(status == 65 or (status == 0 and "refused" in out), f"exit {status}: {out}")
    need(serving(case) is None, "a ruined student serves")
    need_clean(case)


# --- ends at any moment

@test("17 18")
def killed_at_each_step(case):
    """kill -9 at every crash point: the serving student is whole, and the next run cleans up and does its work."""
    points = "run-begun harvested trained candidate-written decided published promoting flipping promoted".split()
    prepare(case)
    for point in points:
        folder = f"{case.folder}/{point}"
        shutil.copytree(case.path("state"), f"{folder}")
        case.write_config(state={"directory": folder}, redistill={**case.settings["redistill"], "epochs": 2})
        status, out, errors = run(
            case, "redistill", "--config", case.config, environment={"UNDERSTUDY_CRASH_AT": point})
        need(status == -signal.SIGKILL, f"not killed at {point}: {status} {out[-200:]}{errors[-200:]}")
        link = f"{folder}/students/current"
        if os.path.lexists(link):
            need_run(case, "models", "show", "--config", case.config)
        out = redistill(case)
        need("serves from now on" in out or "nothing to do" in out or "refused" in out, f"after {point}: {out}")
        need(not os.path.exists(f"{folder}/redistill.work"), f"after {point} the workplace is still there")
        names = os.listdir(f"{folder}/students")
        left = [name for name in names if name.startswith(".") and name != ".lock"]
        need(not left, f"after {point} {left} is left")
        need_run(case, "models", "show", "--config", case.config)
        with sqlite3.connect(f"{folder}/state.sqlite") as state:
            outcomes = [bytes(row[0]).decode() for row in state.execute("SELECT outcome FROM run")]
        need("running" not in outcomes and outcomes[0] == "interrupted", f"after {point}: runs {outcomes}")
        daemon = case.start()
        daemon.stop()


@test("17")
def interrupted(case):
    """SIGTERM ends a run with 75; a second run at the same time says that there is one."""
    prepare(case, epochs=500)
    process = subprocess.Popen(
        [case.binary, "redistill", "--config", case.config], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait(lambda: runs(case) == ["running"], "the run is under way")
    need("another run" in redistill(case, status=75), "a second run isn't refused")
    time.sleep(2)
    process.send_signal(signal.SIGTERM)
    errors = process.communicate(timeout=PATIENCE)[1].decode()
    need(process.returncode == 75, f"it ended with {process.returncode}: {errors[-300:]}")
    need(runs(case) == ["interrupted"] and serving(case) is None, f"runs: {runs(case)}")
    need_clean(case)


@test("17")
def limits(case):
    """Too little memory is a clear error; the serving student stays."""
    prepare(case, maximum_memory_mebibytes=64)
    errors = redistill(case, status=75)
    need("maximum_memory_mebibytes" in errors, errors)
    need(serving(case) is None, "something was promoted")
    need_clean(case)


# --- bad input

@test("10 17")
def hostile_text(case):
    """Huge lines, control characters, SQL and HTML in the log reach neither the state nor the page as such."""
    prepare(case)
    hostile = ["<script>alert(1)</script>&\"'" * 4, "'; DROP TABLE disagreement; --", "\u001b[2J\u0007控制字符\u0000夹在中间",
               "x" * 100_000, "长" * 30_000, "\u202e倒过来的文字\u202c", "🙂🙃" * 20, "\ufeff", " ", "\\n\\r\\t"]
    daemon = case.start()
    before = count(case.out)
    deliver(case.path("in/hostile.jsonl"), "".join(
        json.dumps({"text": text}, ensure_ascii=True) + "\n" for text in hostile).encode())
    # Some are refused, such as a line of 100,000 letters.
    wait(lambda: count(case.out) >= before + 6, "the hostile lines are answered")
    time.sleep(1)
    daemon.stop()
    case.write_config(redistill={**case.settings["redistill"], "held_out_share": 0.5})
    out = redistill(case)
    page = report(out)
    need("\u001b" not in page and "\u202e" not in page, "hostile text is in the page")
    need("x" * 1000 not in page, "a huge line is in the page")
    need(len(runs(case)) == 1, "the state isn't whole")


@test("10")
def damaged_database(case):
    """A broken state is a clear error, and nothing is touched."""
    prepare(case)
    path = case.path("state/state.sqlite")
    whole = read(path)
    for name, damaged in (
            ("zeros in the middle", whole[:4096] + bytes(len(whole) - 8192) + whole[-4096:]),
            ("cut short", whole[:6000]), ("something else", b"not a database at all" * 500)):
        for extra in ("-wal", "-shm"):
            if os.path.exists(path + extra):
                os.remove(path + extra)
        with open(path, "wb") as file:
            file.write(damaged)
        status, out, errors = run(case, "redistill", "--config", case.config)
        need(status in (65, 74, 78) and "error: " in errors, f"{name}: exit {status}: {out[-200:]} {errors[-300:]}")
        need(serving(case) is None, "something was promoted")
        need_clean(case)


@test("12")
def full_disk_while_publishing(case):
    """No room in the registry: an error, nothing half there; with room it works."""
    need_root()
    prepare(case)
    disk = case.small_disk("registry", 4 << 20)
    case.write_config(redistill={**case.settings["redistill"], "registry": f"{disk}/students"})
    status, _, errors = run(case, "redistill", "--config", case.config)
    need(status in (73, 74), f"exit {status}: {errors[-300:]}")
    left = [name for name in os.listdir(f"{disk}/students") if name not in (".lock", "registry.json")]
    need(not left, f"{left} is left in the registry")
    subprocess.run(["mount", "-o", "remount,size=64M", disk], check=True)
    need("serves from now on" in redistill(case), "it doesn't recover")


@test("17")
def wrong_files(case):
    """A missing holdout, unknown labels, malformed lines, another pair: each its sentence and exit status."""
    prepare(case)
    holdout = read(case.path("holdout.jsonl"))

    def refused(status, text, models=None, **changes):
        case.write_config(
            models=models or case.settings["models"], redistill={**case.settings["redistill"], **changes})
        errors = redistill(case, status=status)
        need(text in errors, f"it doesn't say '{text}': {errors[-300:]}")
        need(serving(case) is None, "something was promoted")
        need_clean(case)

    refused(66, "gone.jsonl", holdout=case.path("gone.jsonl"))
    with open(case.path("strange.jsonl"), "wb") as file:
        file.write(holdout + '{"text":"天气转晴","label":"weather"}\n'.encode())
    refused(65, "weather", holdout=case.path("strange.jsonl"))
    write_rows(case.path("unlabelled.jsonl"), [{"text": "没有标签的一行"}])
    refused(65, "no labelled line", holdout=case.path("unlabelled.jsonl"))
    refused(66, "gone.jsonl", holdout=case.path("holdout.jsonl"), train=case.path("gone.jsonl"))
    with open(case.path("malformed.jsonl"), "wb") as file:
        file.write(holdout[:holdout.index(b"\n") + 1] + b"{\"text\": \n")
    refused(65, "malformed.jsonl:2", train=case.path("malformed.jsonl"))
    other = case.path("other-teacher")
    shutil.copytree(TEACHER, other)
    config = json.loads(read(f"{other}/config.json"))
    os.remove(f"{other}/config.json")
    config["id2label"]["0"] = "weather"
    config["label2id"] = {name: int(index) for index, name in config["id2label"].items()}
    write_rows(f"{other}/config.json", [config])
    refused(78, "different labels", train=case.path("train.jsonl"),
            models={**case.settings["models"], "teacher": other})
    case.write_config(models={"student": STUDENT})
    need("models.teacher is missing" in redistill(case, status=78), "a run without a teacher")
    case.write_config(models=None, redistill=None)
    need("the block redistill is missing" in redistill(case, status=78), "a run without its block")


@test("17")
def teacher_replaced_meanwhile(case):
    """The teacher's directory is exchanged while the run learns: it notices, and promotes nothing."""
    prepare(case, epochs=40)
    teacher = case.path("teacher")
    shutil.copytree(TEACHER, teacher)
    shutil.copytree(TEACHER, case.path("teacher-2"))
    with open(case.path("teacher-2/config.json"), "ab") as file:
        file.write(b"\n")
    case.write_config(models={**case.settings["models"], "teacher": teacher})
    process = subprocess.Popen(
        [case.binary, "redistill", "--config", case.config], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # It is made once the run has looked at all that it works with.
    wait(lambda: os.path.isdir(case.path("state/teacher-logits")), "the run is under way")
    os.rename(teacher, case.path("teacher-1"))
    os.rename(case.path("teacher-2"), teacher)
    errors = process.communicate(timeout=PATIENCE)[1].decode()
    need(process.returncode == 75 and "teacher was replaced" in errors, f"{process.returncode}: {errors[-300:]}")
    need(serving(case) is None and runs(case) == ["failed"], f"runs: {runs(case)}")
    need_clean(case)


@test("18")
def altered_student(case):
    """Weights that were changed after the promotion are refused by name; the daemon keeps what it has, a rollback mends."""
    prepare(case)
    redistill(case)
    daemon = case.start()
    weights = case.path("state/students/v1/model.safetensors")
    data = bytearray(read(weights))
    os.remove(weights)
    data[-1000] ^= 0x55
    with open(weights, "wb") as file:
        file.write(data)
    status, _, errors = run(case, "models", "show", "--config", case.config)
    need(status == 65 and "fingerprint" in errors, f"{status}: {errors}")
    case.write_config(redistill={**case.settings["redistill"], "minimum_new_rows": 1})
    deliver(case.path("in/more.jsonl"), b'{"text":"\xe5\x86\x8d\xe6\x9d\xa5\xe4\xb8\x80\xe6\x9d\xa1"}\n')
    wait(lambda: case.daemons[-1].metric('understudy_lines_total{source="drops",result="answered"}') >= 1, "an answer")
    daemon.wait_committed()
    need("fingerprint" in redistill(case, status=65), "a run begins with altered weights")
    need_run(case, "models", "rollback", "--config", case.config)
    need(serving(case) != "v1", "the rollback did nothing")
    daemon.stop()


# --- after the promotion

@test("18")
def shadows(case):
    """A candidate answers beside the student and is promoted by the daemon once it has shown itself."""
    prepare(case, shadow=1, shadow_lines=60)
    daemon = case.start()
    out = redistill(case)
    need("before it is promoted" in out, out)
    need(os.readlink(case.path("state/students/shadow")) == "v1", "there is no shadow")
    wait(lambda: "understudy_shadow_lines_total" in daemon.get("/metrics")[1], "the shadow is loaded")
    number = 0
    deadline = time.monotonic() + PATIENCE
    while serving(case) != "v1":
        number += 1
        need(time.monotonic() < deadline, "the shadow is never promoted")
        rows = "".join(json.dumps({"text": f"第{number}批{text}"}, ensure_ascii=False) + "\n"
                       for text in headlines(40, number))
        deliver(case.path(f"in/{number:05}.jsonl"), rows.encode())
        time.sleep(0.7)
    daemon.wait_log("the candidate passed shadow mode and is promoted")
    need(not os.path.lexists(case.path("state/students/shadow")), "the shadow's link is still there")
    daemon.wait_log("as the serving student student=v1")
    daemon.stop()


@test("18")
def worse_students_are_taken_back(case):
    """A promoted student that agrees less with the teacher is taken back by the daemon, and barred."""
    prepare(case, rollback={"audits": 100, "confidence": 0.95})
    # As if a run had promoted the weak student after the good one.
    need_run(case, "models", "promote", STUDENT + "/", "--config", case.config)
    need_run(case, "models", "promote", f"{workshop(case)}/weak/", "--config", case.config)
    record = case.path("state/students/registry.json")
    history = json.loads(read(record))
    good, weak = history["promotions"][-2]["version"], history["promotions"][-1]["version"]

    def answer(first, last):
        for number in range(first, last):
            rows = "".join(json.dumps({"text": f"第{number}批{text}"}, ensure_ascii=False) + "\n"
                           for text in headlines(40, number))
            deliver(case.path(f"in/{number:05}.jsonl"), rows.encode())
            # One after the other: no more audits wait than a pass holds.
            case.wait_count(before + (number + 1) * 40)

    before = count(case.out)
    case.write_config(cascade={"threshold": 0, "audit_share": 1, "batch_wait_milliseconds": 0})
    need_run(case, "models", "rollback", "--config", case.config)
    daemon = case.start()
    answer(0, 5)
    daemon.wait_committed()
    history = json.loads(read(record))
    history["promotions"].append(
        {"time": int(time.time() * 1e6), "version": weak, "predecessor": good, "origin": {"run": {"_0": 1}}})
    write_rows(record, [history])
    for name, version in (("previous", good), ("current", weak)):
        os.symlink(version, case.path(f"state/students/.{name}"))
        os.rename(case.path(f"state/students/.{name}"), case.path(f"state/students/{name}"))
    daemon.wait_log(f"as the serving student student={weak}")
    first = 5
    deadline = time.monotonic() + PATIENCE
    while daemon.count_log("worse than the previous one") == 0:
        need(time.monotonic() < deadline, "the weak student is never taken back")
        answer(first, first + 2)
        first += 2
        time.sleep(1)
    daemon.wait_log(f"as the serving student student={good}")
    need(serving(case) == good, "the link doesn't lead back")
    listed = need_run(case, "models", "list", "--config", case.config)
    need("barred" in listed, listed)
    need(daemon.metric("understudy_rollbacks_total") == 1, "the rollback isn't counted")
    low, estimate, high = (daemon.metric(f'understudy_audit_agreement_ratio{{bound="{bound}"}}')
                           for bound in ("low", "estimate", "high"))
    need(0 < low < estimate < high < 1, f"the agreement's bounds are {low}, {estimate}, {high}")
    need("was rolled back to" in daemon.get("/")[1], "the page doesn't say it")
    daemon.stop()
    need(count(case.out) == before + first * 40, "lines were lost or answered twice")


def forget():
    """Removes what all tests shared."""
    if "folder" in KEEP:
        shutil.rmtree(KEEP["folder"], ignore_errors=True)
