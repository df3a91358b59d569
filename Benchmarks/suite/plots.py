"""Draws the growth of costs as one SVG, docs/scaling.svg: log–log, lines a second over what grows."""
import math

PANELS = (("lines", "lines of input"), ("length", "characters in a line"), ("classes", "classes"),
          ("units", "hidden units"))
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 330, 240, 62, 40, 28


def ticks(low, high):
    """1, 2 and 5 times powers of ten between two bounds."""
    found = [factor * 10 ** power for power in range(int(math.floor(math.log10(low))), int(math.log10(high)) + 2)
             for factor in (1, 2, 5)]
    found = [value for value in found if low <= value <= high]
    return found if len(found) <= 6 else [value for value in found if str(value)[0] == "1"]


def short(value):
    for size, letter in ((1_000_000, " M"), (1_000, " k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def panel(points, title, x0, y0):
    xs, ys = [x for x, _ in points], [y for _, y in points]
    low, high = 10 ** math.floor(math.log10(min(ys))), 10 ** math.ceil(math.log10(max(ys) * 1.001))
    inner_width, inner_height = WIDTH - LEFT - 18, HEIGHT - TOP - BOTTOM

    def place(x, y):
        span = math.log(max(xs) / min(xs)) or 1
        return (x0 + LEFT + inner_width * math.log(x / min(xs)) / span,
                y0 + TOP + inner_height * (1 - math.log(y / low) / math.log(high / low)))

    out = [f'<text x="{x0 + LEFT}" y="{y0 + 16}" class="title">lines/s over {title}</text>']
    for value in ticks(low, high):
        y = place(xs[0], value)[1]
        out.append(f'<line x1="{x0 + LEFT}" x2="{x0 + WIDTH - 18}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>'
                   f'<text x="{x0 + LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{short(value)}</text>')
    for value in xs if len(xs) <= 5 else ticks(min(xs), max(xs)):
        x = place(value, low)[0]
        out.append(f'<text x="{x:.1f}" y="{y0 + HEIGHT - BOTTOM + 18}" text-anchor="middle">{short(value)}</text>')
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
    out.append(f'<polyline points="{path}" class="curve"/>')
    for point in points:
        x, y = place(*point)
        out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"><title>{short(point[0])}: {point[1]:,.0f} lines/s</title>'
                   "</circle>")
    return "\n".join(out)


def draw(points):
    panels = "\n".join(panel(points[name], title, (index % 2) * WIDTH, (index // 2) * HEIGHT)
                       for index, (name, title) in enumerate(PANELS))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {2 * HEIGHT}" role="img"
 aria-label="Lines a second as lines, their length, classes and hidden units grow">
<style>
text {{ font: 12px system-ui, sans-serif; fill: #555 }} .title {{ font-weight: 600; fill: #222 }}
.grid {{ stroke: #ddd }} .curve {{ fill: none; stroke: #2563a8; stroke-width: 2 }} circle {{ fill: #2563a8 }}
</style>
<rect width="100%" height="100%" fill="#fff"/>
{panels}
</svg>
"""
