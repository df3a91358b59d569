"""The teacher's forward pass against PyTorch, ONNX Runtime and OpenVINO: the bundled one, and one of chance of the size
of bert-base-chinese."""
from .setting import WORK, agreement, alternate, note, run

KINDS = ("torch-f32", "torch-bf16", "ort-f32", "ort-i8", "openvino")
NAMES = {"torch-f32": "PyTorch f32", "torch-bf16": "PyTorch bf16", "ort-f32": "ONNX Runtime f32",
         "ort-i8": "ONNX Runtime int8", "openvino": "OpenVINO"}
# Makes both as directories that Transformers loads: the bundled one with its i8 weights as f32.
MAKE = """
import json, pathlib, shutil, sys, torch, transformers
from safetensors.torch import load_file, save_file
bundled, plain, base = map(pathlib.Path, sys.argv[1:4])
plain.mkdir(exist_ok=True)
for file in bundled.iterdir():
    if file.name != "model.safetensors":
        shutil.copy(file, plain)
tensors = load_file(bundled / "model.safetensors")
wide = {}
for name, tensor in tensors.items():
    if name.endswith(".scale"):
        continue
    scale = tensors.get(name + ".scale")
    value = tensor.float()
    if scale is not None:
        value = value * (scale[:, None] if value.ndim == 2 else scale)
    wide[name] = value.contiguous()
save_file(wide, plain / "model.safetensors", metadata={"format": "pt"})
torch.manual_seed(0)
config = transformers.BertConfig(vocab_size=21128, num_labels=5)
transformers.BertForSequenceClassification(config).save_pretrained(base)
words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [chr(c) for c in range(0x21, 0x7f)]
words += [chr(c) for c in range(0x4e00, 0x4e00 + 21128 - len(words))]
(base / "vocab.txt").write_text("\\n".join(words) + "\\n", encoding="utf-8")
"""


def models(setting):
    plain, base = WORK / "teacher-f32", WORK / "bert-base"
    if not (base / "vocab.txt").exists():
        run([setting.python, "-c", MAKE, setting.teacher, plain, base])
    return plain, base


def measure(setting):
    plain, base = models(setting)
    rows, peers = [], []
    lines = setting.lines(200_000)
    accuracies = {precision: setting.accuracy(["--teacher", setting.teacher],
                                              environment={"UNDERSTUDY_PRECISION": precision})
                  for precision in ("f32", "i8")}
    for name, own, theirs, count in (("12 × 384, bundled", setting.teacher, plain, 600),
                                     ("12 × 768, bert-base", base, base, 96)):
        for cpus in ((0,), (0, 1)):
            for batch, size in ((32, count), (1, count // 4)):
                ids = setting.ids(own, lines, size)
                last = {}

                def ours():
                    last["ours"] = setting.timed_library("teacher", "--model", own, "--ids", ids, "--batch", batch,
                                                         "--threads", len(cpus), cpus=cpus)
                    return last["ours"]["seconds"]

                def peer(kind):
                    last[kind] = setting.peer("teacher_peer.py", theirs, ids, batch, len(cpus), kind, WORK, cpus=cpus)
                    return last[kind]["seconds"]

                note(f"teacher {name}, {len(cpus)} cores, batch {batch}")
                trial = {kind: peer(kind) for kind in KINDS}
                fastest = min(trial, key=trial.get)
                found = alternate({"ours": ours, fastest: lambda: peer(fastest)}, setting.runs)
                ratio = found[fastest]["ratio"]
                peers.append({"model": name, "cores": len(cpus), "batch": batch,
                              "ours": size / found["ours"]["median"],
                              **{kind: size / trial[kind] for kind in KINDS}})
                same = agreement(last["ours"]["answers"], last["torch-f32"]["answers"])
                rows.append({
                    "work": f"teacher {name}, {len(cpus)} core{'s' * (len(cpus) > 1)}, batch {batch}",
                    "ours": size / found["ours"]["median"], "unit": "lines/s",
                    "against": f"{last[fastest]['version']}, {NAMES[fastest].split()[-1]}, the fastest of five",
                    "theirs": size / found[fastest]["median"], "ratio": ratio, "reach": "≥ 1.2", "met": ratio >= 1.2,
                    "note": f"same label as PyTorch f32: {same:.1f} %"})
                if name.startswith("12 × 768") and cpus == (0,) and batch == 32:
                    rate = size / trial["torch-f32"]
    return {"rows": rows, "peers": peers, "bert_base_torch_f32": rate,
            "accuracy": accuracies}
