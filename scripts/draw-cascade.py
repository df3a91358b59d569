#!/usr/bin/env python3
"""Draws docs/cascade.svg: the cascade's accuracy against the share of lines that the teacher sees.

    understudy evaluate --data test-unseen.jsonl --student … --teacher … --json | scripts/draw-cascade.py BASELINE

BASELINE is the accuracy (0 to 1) of TF-IDF and logistic regression on the same rows, drawn as a line.
"""
import json
import pathlib
import sys

LEFT, TOP, WIDTH, HEIGHT = 64, 40, 600, 260


def main():
    report = json.load(sys.stdin)
    baseline = float(sys.argv[1])
    curve = [(p["deferred_share"], p["accuracy"]) for p in report["cascade"]["cost_accuracy_curve"]]
    teacher = report["teacher"]["accuracy"]
    values = [a for _, a in curve] + [teacher, baseline]
    low, high = min(values) - 0.005, max(values) + 0.005
    x = lambda share: LEFT + WIDTH * share
    y = lambda accuracy: TOP + HEIGHT * (high - accuracy) / (high - low)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 30} {TOP + HEIGHT + 60}" '
        'font-family="system-ui, sans-serif" font-size="13">',
        "<style>text{fill:#333}.axis{stroke:#bbb}.curve{fill:none;stroke:#0a6ebd;stroke-width:2.5}"
        ".dot{fill:#0a6ebd}.rule{stroke:#b4541f;stroke-dasharray:5 4}.base{stroke:#777;stroke-dasharray:2 4}</style>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="15" font-weight="600">Accuracy on unseen headlines, by the share that '
        "the teacher sees</text>",
    ]
    tick = round(low * 100 + 0.5) / 100
    while tick < high:
        out.append(f'<line class="axis" x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" '
                   f'opacity="0.5"/><text x="{LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{100 * tick:.0f} %</text>')
        tick += 0.01
    for share in (0, 0.2, 0.4, 0.6, 0.8, 1):
        out.append(f'<text x="{x(share):.1f}" y="{TOP + HEIGHT + 20}" text-anchor="middle">{100 * share:.0f} %</text>')
    out.append(f'<text x="{LEFT + WIDTH / 2}" y="{TOP + HEIGHT + 44}" text-anchor="middle">lines deferred to the teacher'
               "</text>")
    for value, name, kind in ((teacher, "teacher alone", "rule"), (baseline, "TF-IDF + logistic regression", "base")):
        out.append(f'<line class="{kind}" x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
                   f'<text x="{LEFT + WIDTH}" y="{y(value) + 16:.1f}" text-anchor="end">{name}, {100 * value:.1f} %</text>')
    out.append('<polyline class="curve" points="' + " ".join(f"{x(s):.1f},{y(a):.1f}" for s, a in curve) + '"/>')
    for share, accuracy in curve:
        out.append(f'<circle class="dot" cx="{x(share):.1f}" cy="{y(accuracy):.1f}" r="3"/>')
    share, accuracy = curve[0]
    out.append(f'<text x="{x(share) + 10:.1f}" y="{y(accuracy) + 16:.1f}">student alone, {100 * accuracy:.1f} %</text>')
    path = pathlib.Path(__file__).resolve().parent.parent / "docs" / "cascade.svg"
    path.write_text("\n".join(out + ["</svg>", ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
