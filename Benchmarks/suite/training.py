"""Training against PyTorch on both cores: an epoch of distillation, and fine-tuning the last four layers."""
import json
import re
import time

from .setting import WORK, alternate, note, run
from .teacher import models

BOTH = (0, 1)


def texts_file(rows):
    path = WORK / "train-lines.txt"
    path.write_text("".join(" ".join(row["text"].split()) + "\n" for row in rows), encoding="utf-8")
    return path


def measure(setting):
    records = setting.records("tnews5/train.jsonl")[:12_000]
    train, kept = WORK / "train-12k.jsonl", WORK / "kept.jsonl"
    for path, part in ((train, records), (kept, setting.records("tnews5/train.jsonl")[12_000:12_400])):
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in part), encoding="utf-8")
    config = json.loads((setting.student / "config.json").read_text(encoding="utf-8"))
    rows, last = [], {}
    note("an epoch of distillation")

    def ours():
        done = run([setting.understudy, "distill", "--teacher", setting.teacher, "--train", train, "--validation", kept,
                    "--embeddings", "random", "--augment", 0, "--epochs", 3, "--loss", "kl", "--temperature", 2,
                    "--lambda", 0.5, "--hidden-size", config["hidden_size"], "--out", WORK / "distilled"], cpus=BOTH)
        return 1 / float(re.findall(r"([\d,]+) lines/s\n", done.stderr.decode())[-1].replace(",", ""))

    ids = setting.ids(setting.student, texts_file(records))

    def torch(tables):
        last["torch"] = setting.peer(
            "torch_epoch.py", ids, config["vocab_size"], config["embedding_size"], config["hidden_size"],
            config["dense_size"], config["shortcut_buckets"], len(config["labels"]), 2, tables, cpus=BOTH)
        return 1 / last["torch"]["lines_per_second"]

    tables = min(("sparse", "dense"), key=torch)
    found = alternate({"ours": ours, "torch": lambda: torch(tables)}, setting.runs)
    rows.append({"work": "distillation epoch, 12,000 lines, logits cached, 2 cores", "ours": 1 / found["ours"]["median"],
                 "unit": "lines/s", "against": f"{last['torch']['version']}, the faster of sparse and dense Adam ({tables})",
                 "theirs": 1 / found["torch"]["median"], "ratio": found["torch"]["ratio"], "reach": "≥ 4",
                 "met": found["torch"]["ratio"] >= 4, "note": ""})

    note("fine-tuning")
    few = 3_000
    small = WORK / "train-3k.jsonl"
    small.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in records[:few]), encoding="utf-8")
    base, _ = models(setting)

    def tune(epochs):
        done = run([setting.understudy, "train", "teacher", "--base", base, "--train", small, "--validation", kept,
                    "--epochs", epochs, "--layers", 4, "--out", WORK / "tuned"], cpus=BOTH)
        return done.stderr.decode()

    def ours_tuning():
        start = time.perf_counter()
        tune(3)
        return time.perf_counter() - start

    tune_ids = setting.ids(setting.teacher, texts_file(records), few)

    def torch_tuning():
        last["tuning"] = setting.peer("torch_finetune.py", base, tune_ids, 4, 3, 5, 2, cpus=BOTH)
        return last["tuning"]["seconds"]

    found = alternate({"ours": ours_tuning, "torch": torch_tuning}, setting.runs)
    rows.append({"work": f"fine-tuning the last 4 of 12 × 384 layers, {few:,} lines, 3 epochs, 2 cores",
                 "ours": found["ours"]["median"], "unit": "s",
                 "against": f"{last['tuning']['version']}, the same layers frozen and computed once",
                 "theirs": found["torch"]["median"], "ratio": found["torch"]["ratio"], "reach": "≥ 2.5",
                 "met": found["torch"]["ratio"] >= 2.5,
                 "note": "ours: the whole command, with validation and writing"})
    return {"rows": rows}
