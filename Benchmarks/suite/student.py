"""The student's forward pass against ONNX Runtime on the same biLSTM in f32, on one core."""
import statistics

from .setting import PEERS, WORK, agreement, alternate, note, run


def graph(setting):
    path = WORK / "student.onnx"
    run([setting.python, PEERS / "onnx_export.py", setting.student, path])
    return path


def measure(setting):
    onnx = graph(setting)
    rows = []
    accuracy = {}
    for precision in ("f32", "bf16", "i8"):
        accuracy[precision] = setting.accuracy(["--student", setting.student],
                                               environment={"UNDERSTUDY_PRECISION": precision})
    note("student, all lines at once")
    ids = setting.ids(setting.student, setting.lines(200_000))
    last = {}

    def ours(precision, name="ours"):
        last[name] = setting.timed_library("student", "--model", setting.student, "--ids", ids, "--precision", precision)
        return last[name]["seconds"]

    def theirs():
        last["theirs"] = setting.peer("ort_student.py", onnx, ids, 32, 1)
        return last["theirs"]["seconds"]

    found = alternate({"i8": lambda: ours("i8"), "ort": theirs}, setting.runs)
    same = agreement(last["ours"]["answers"], last["theirs"]["answers"])
    exact = {}
    for precision in ("f32", "bf16"):
        times = [ours(precision, precision) for _ in range(3)]
        exact[precision] = (200_000 / statistics.median(times),
                            agreement(last["ours"]["answers"], last[precision]["answers"]))
    rows.append({
        "work": "student forward, 1 core, library call, 200,000 lines",
        "ours": 200_000 / found["i8"]["median"], "unit": "lines/s",
        "against": f"{last['theirs']['version']} f32, batch 32 sorted by length",
        "theirs": 200_000 / found["ort"]["median"], "ratio": found["ort"]["ratio"], "reach": "≥ 6", "met": found["ort"]["ratio"] >= 6,
        "note": f"same label on {same:.2f} % of the lines"})
    note("student, one line at a time")
    few = setting.ids(setting.student, setting.lines(200_000), 5_000)

    def ours_single():
        last["single"] = setting.timed_library("student", "--model", setting.student, "--ids", few, "--single")
        return last["single"]["p50"]

    def theirs_single():
        last["their single"] = setting.peer("ort_student.py", onnx, few, 1, 1)
        return last["their single"]["p50"]

    found = alternate({"ours": ours_single, "ort": theirs_single}, setting.runs)
    rows.append({
        "work": "student, batch 1, latency p50", "ours": found["ours"]["median"] * 1e6, "unit": "µs",
        "against": "ONNX Runtime, batch 1", "theirs": found["ort"]["median"] * 1e6,
        "ratio": found["ort"]["ratio"], "reach": "≥ 5", "met": found["ort"]["ratio"] >= 5,
        "note": f"p99 {last['single']['p99'] * 1e6:.0f} µs"})
    precision = [{"precision": name, "accuracy": accuracy[name][0], "ece": accuracy[name][1],
                  "lines_per_second": exact[name][0] if name in exact else rows[0]["ours"],
                  "agreement": agreement(last["f32"]["answers"], last[name if name in exact else "ours"]["answers"])
                  if name != "f32" else 100.0}
                 for name in ("f32", "bf16", "i8")]
    return {"rows": rows, "precision": precision}
