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


# Seconds that one measurement of this program should take, and the most lines for it.
SECONDS, MOST_LINES = 4, 600


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
    # Without the processor's own bf16 it is emulated, and never the fastest.
    kinds = [kind for kind in KINDS if kind != "torch-bf16" or "avx512_bf16" in open("/proc/cpuinfo").read()]
    for name, own, theirs in (("12 × 384, bundled", setting.teacher, plain), ("12 × 768, bert-base", base, base)):
        for cpus in ((0,), (0, 1)):
            for batch in (32, 1):
                ids = setting.ids(own, lines, 32)
                last = {}

                def ours():
                    last["ours"] = setting.timed_library("teacher", "--model", own, "--ids", ids, "--batch", batch,
                                                         "--threads", len(cpus), cpus=cpus)
                    return last["ours"]["seconds"]

                def peer(kind):
                    last[kind] = setting.peer("teacher_peer.py", theirs, ids, batch, len(cpus), kind, WORK, cpus=cpus)
                    return last[kind]["seconds"]

                note(f"teacher {name}, {len(cpus)} cores, batch {batch}")
                size = min(MOST_LINES, max(32, int(32 * SECONDS / ours()) // 32 * 32))
                ids = setting.ids(own, lines, size)
                trial = {kind: peer(kind) for kind in kinds}
                fastest = min(trial, key=trial.get)
                found = alternate({"ours": ours, fastest: lambda: peer(fastest)}, setting.runs)
                ratio = found[fastest]["ratio"]
                peers.append({"model": name, "cores": len(cpus), "batch": batch,
                              "ours": size / found["ours"]["median"],
                              **{kind: size / trial[kind] if kind in trial else None for kind in KINDS}})
                same = agreement(last["ours"]["answers"], last["torch-f32"]["answers"])
                rows.append({
                    "work": f"teacher {name}, {len(cpus)} core{'s' * (len(cpus) > 1)}, batch {batch}",
                    "ours": size / found["ours"]["median"], "unit": "lines/s",
                    "against": f"{last[fastest]['version']}, {NAMES[fastest].split()[-1]}, the fastest of {len(kinds)}",
                    "theirs": size / found[fastest]["median"], "ratio": ratio, "reach": "≥ 1.2", "met": ratio >= 1.2,
                    "note": f"same label as PyTorch f32: {same:.1f} %"})
                if name.startswith("12 × 768") and cpus == (0,) and batch == 32:
                    rate = size / trial["torch-f32"]
    return {"rows": rows, "peers": peers, "bert_base_torch_f32": rate,
            "accuracy": accuracies}
