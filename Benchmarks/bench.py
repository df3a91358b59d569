#!/usr/bin/env python3
"""Measures this program against what people would use instead; see Benchmarks/README.md.

    Benchmarks/bench.py --data FOLDER [--only student,teacher] [--runs 5] [--python PYTHON]

All numbers of a row come from one run: both sides warm, the same lines, weights and threads, medians of alternating
runs. With all groups, or with --write, the tables are written to docs/performance.md: into the section of this class of
processor, between its two marks; the sections of other classes stay. All groups together also draw docs/scaling.svg.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

from suite import limit, plots, process, scaling, student, teacher, training
from suite.setting import ROOT, WORK, Setting

GROUPS = {"student": student, "process": process, "teacher": teacher, "training": training, "limit": limit,
          "scaling": scaling}
# Classes of processors by the kernels that are used, best first: name, title, the flags that it needs, and the value of
# UNDERSTUDY_KERNELS with which a better processor is limited to it.
CLASSES = (("avx512-vnni", "AVX-512 with VNNI", ("avx512f", "avx512_vnni"), "avx512"),
           ("avx-vnni", "AVX-VNNI", ("avx2", "avx_vnni"), "avxvnni"),
           ("avx512", "AVX-512 without VNNI", ("avx512f",), "avx512"),
           ("avx2", "AVX2", ("avx2",), "avx2"),
           ("arm-dotprod", "Arm with the dot product", ("asimddp",), "dotprod"),
           ("portable", "other processors", (), "portable"))


def number(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(rows):
    out = ["| work | understudy | against | theirs | ratio | reach | |", "|---|---:|---|---:|---:|---|---|"]
    for row in rows:
        ratio = "–" if row["ratio"] is None else f"**{row['ratio']:.2f}**"
        theirs = "–" if row["theirs"] is None else f"{number(row['theirs'])} {row['unit']}"
        out.append(f"| {row['work']} | {number(row['ours'])} {row['unit']} | {row['against']} | {theirs} | {ratio} "
                   f"| {row['reach']}{'' if row['met'] else ' (missed)'} | {row['note']} |")
    return "\n".join(out)


def against_bert_base(results):
    """The student's lines per second over those of bert-base in PyTorch f32, both on one core."""
    if "student" not in results or "teacher" not in results:
        return []
    ours, theirs = results["student"]["rows"][0]["ours"], results["teacher"]["bert_base_torch_f32"]
    return [{"work": "student's lines/s ÷ bert-base's, 1 core", "ours": ours, "unit": "lines/s",
             "against": "bert-base in PyTorch f32, batch 32", "theirs": theirs, "ratio": ours / theirs,
             "reach": "≥ 1,500", "met": ours / theirs >= 1500, "note": ""}]


def processor_class():
    """The class of this processor, and a note if UNDERSTUDY_KERNELS limits a better one to it."""
    flags = set(re.search(r"(?:flags|Features)\s*:\s*(.*)", cpuinfo()).group(1).split())
    able = [entry for entry in CLASSES if flags.issuperset(entry[2])]
    asked = os.environ.get("UNDERSTUDY_KERNELS")
    limited = [entry for entry in able if entry[3] == asked]
    if not limited or limited[0] is able[0]:
        return able[0][0], able[0][1], ""
    return limited[0][0], limited[0][1], f" This is a processor with {able[0][1]}, limited by UNDERSTUDY_KERNELS={asked}."


def cpuinfo():
    return pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")


def machine():
    cpu = re.search(r"model name\s*:\s*(.*)", cpuinfo())
    family = re.search(r"cpu family\s*:\s*(\d+)\s*\nmodel\s*:\s*(\d+)", cpuinfo())
    name = (cpu.group(1).strip() if cpu else platform.machine()) + (
        f" (family {family.group(1)}, model {family.group(2)})" if family else "")
    sets = [flag for flag in ("avx512_vnni", "avx512_bf16", "avx512f", "avx_vnni", "avx2", "asimddp") if flag in cpuinfo()]
    system = re.search(r'PRETTY_NAME="(.*)"', pathlib.Path("/etc/os-release").read_text(encoding="utf-8")).group(1)
    swift = subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout
    version = re.search(r"Swift version (\S+)", swift)
    return (f"{datetime.date.today()}, {name}, {', '.join(sets)}, {system}, Linux {platform.release().split('-')[0]}, "
            f"Swift {version.group(1) if version else '?'}, Python {platform.python_version()}")


def render(results):
    _, title, note = processor_class()
    rows = [row for group in ("student", "process", "teacher") for row in results.get(group, {}).get("rows", [])]
    rows += against_bert_base(results)
    rows += [row for group in ("training", "limit") for row in results.get(group, {}).get("rows", [])]
    missing = [name for name in GROUPS if name not in results]
    out = [f"### {title}", "",
           f"Measured on {machine()}; two cores. Medians of {results['runs']} alternating runs.{note}"
           + (f" Not measured: {', '.join(missing)}." if missing else ""), "", table(rows)]
    if "student" in results:
        out += ["", "| the student's recurrence in | accuracy, unseen | ECE | same label as f32 | lines/s, 1 core |",
                "|---|---:|---:|---:|---:|"]
        out += [f"| {row['precision']} | {row['accuracy']:.2f} % | {row['ece']:.2f} % | {row['agreement']:.2f} % "
                f"| {row['lines_per_second']:,.0f} |" for row in results["student"]["precision"]]
    if "teacher" in results:
        out += ["", "| the bundled teacher in | accuracy, unseen | ECE |", "|---|---:|---:|"]
        out += [f"| {name} | {accuracy:.2f} % | {ece:.2f} % |"
                for name, (accuracy, ece) in results["teacher"]["accuracy"].items()]
        names = list(teacher.NAMES)
        out += ["", "The peers of the teacher, one run each, lines/s:", "",
                "| model | cores | batch | understudy | " + " | ".join(teacher.NAMES[name] for name in names) + " |",
                "|---|---:|---:|" + "---:|" * (len(names) + 1)]
        out += [f"| {row['model']} | {row['cores']} | {row['batch']} | {number(row['ours'])} | "
                + " | ".join(number(row[name]) for name in names) + " |" for row in results["teacher"]["peers"]]
    if "limit" in results:
        out += ["", "| recurrence | units | 10⁹ operations/s | oneDNN's best | share |", "|---|---:|---:|---:|---:|"]
        out += [f"| {row['precision']} | {row['units']} | {row['rate']:.0f} | {row['limit']:.0f} | {row['share']:.0f} % |"
                for row in results["limit"]["shares"]]
    if "scaling" in results:
        largest = results["scaling"]["points"]["lines"][-1][1]
        out += ["", f"A day's feed of 100 million lines takes {1e8 / largest / 60:.0f} minutes of these two cores, "
                f"{2e8 / largest / 86400:.3f} of a core all day long."]
    return "\n".join(out)


def write(text, page):
    """Puts the section of this class of processor into the page: in its place, or behind the other classes'."""
    name = processor_class()[0]
    begin, end = f"<!-- bench: begin {name} -->", f"<!-- bench: end {name} -->"
    old = page.read_text(encoding="utf-8")
    section = f"{begin}\n{text}\n{end}"
    if begin in old and end in old:
        before, _, rest = old.partition(begin)
        new = before + section + rest.partition(end)[2]
    else:
        last = list(re.finditer(r"<!-- bench: end [^ ]+ -->", old))
        if not last:
            sys.exit(f"{page}: has no section of any class of processor")
        new = old[:last[-1].end()] + "\n\n" + section + old[last[-1].end():]
    page.write_text(new, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="the folder with tnews5, tnews15 and thucnews")
    parser.add_argument("--only", help="some groups: " + ", ".join(GROUPS))
    parser.add_argument("--runs", type=int, default=5, help="alternating runs of each pair (default: %(default)s)")
    parser.add_argument("--python", help="an interpreter with the peers; without it, Benchmarks/venv is made")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md from what the groups found last")
    arguments = parser.parse_args()
    chosen = arguments.only.split(",") if arguments.only else [] if arguments.write else list(GROUPS)
    unknown = [name for name in chosen if name not in GROUPS]
    if unknown:
        parser.error(f"there is no group {unknown[0]}; there are {', '.join(GROUPS)}")
    WORK.mkdir(exist_ok=True)
    store = WORK / f"results-{processor_class()[0]}.json"
    results = json.loads(store.read_text(encoding="utf-8")) if store.exists() else {}
    if chosen:
        setting = Setting(arguments.data, arguments.runs, arguments.python)
    for name in chosen:
        results[name] = GROUPS[name].measure(setting)
        results["runs"] = arguments.runs
        store.write_text(json.dumps(results, ensure_ascii=False, indent=1), encoding="utf-8")
        print(table(results[name]["rows"]), flush=True)
    if arguments.only and not arguments.write:
        return
    text = render(results)
    print(text)
    write(text, ROOT / "docs" / "performance.md")
    if "scaling" in results:
        (ROOT / "docs" / "scaling.svg").write_text(plots.draw(results["scaling"]["points"]), encoding="utf-8")


if __name__ == "__main__":
    main()
