"""How near the recurrence is to the best matrix product of oneDNN on one core."""
import json

from .setting import PEERS, WORK, note, run


def measure(setting):
    note("limit")
    program = WORK / "gemm_limit"
    run(["cc", "-O2", PEERS / "gemm_limit.c", "-ldnnl", "-o", program])
    units = json.loads((setting.student / "config.json").read_text(encoding="utf-8"))["hidden_size"]
    rows = []
    limits = {"f32": [], "i8": []}
    rates = {}
    for _ in range(setting.runs):
        found = json.loads(run([program], cpus=(0,)).stdout)
        for name in limits:
            limits[name].append(found[name])
        for name, size in (("f32", units), ("i8", units), ("i8", 128), ("i8", 256)):
            rate = setting.timed_library("recurrence", "--units", size, "--precision", name)["operations_per_second"]
            rates.setdefault((name, size), []).append(rate)
    table = []
    for (name, size), found in rates.items():
        rate, limit = sorted(found)[len(found) // 2], max(limits[name])
        table.append({"precision": name, "units": size, "rate": rate / 1e9, "limit": limit / 1e9,
                      "share": 100 * rate / limit})
    own = next(row for row in table if row["precision"] == "i8" and row["units"] == units)
    rows.append({"work": f"the recurrence ({units} units, i8), 1 core", "ours": own["rate"], "unit": "10⁹ operations/s",
                 "against": "the best int8 GEMM of oneDNN on this core", "theirs": own["limit"],
                 "ratio": own["share"] / 100, "reach": "≥ 0.5", "met": own["share"] >= 50, "note": ""})
    return {"rows": rows, "shares": table}
