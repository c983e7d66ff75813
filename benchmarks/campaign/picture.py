"""Draws the throughput of a campaign over time as an SVG."""

from collections.abc import Mapping
from typing import Any

from benchmarks.chart import COLOURS

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 270, 70, 20, 50, 48
POINTS = 200
DAY = 86_400.0
LABELS = {"50%": ("end", -3), "90%": ("end", -3), "99%": ("start", 3)}
"""The alignments of the labels of lines, so that two labels of close lines do not overlap."""


def picture(found: Mapping[str, Any]) -> str:
    """Return the SVG: bases a day over days, and lines where 50, 90 and 99 % of the runs had ended."""
    end = max(found["time_to"]["100%"], 1.0)
    rates = in_points(found["throughput"]["bases"], found["throughput"]["step"], end)
    top = max(rates) or 1.0
    x_of, y_of = (WIDTH - LEFT - RIGHT) / POINTS, (HEIGHT - TOP - BOTTOM) / top
    floor = HEIGHT - BOTTOM
    points = " ".join(f"{LEFT + x_of * (n + 0.5):.1f},{floor - y_of * rate:.1f}" for n, rate in enumerate(rates))
    what = f"{found['runs']:,} runs on {found['machines']:,} machines ({found['engine']})"
    parts = [
        f"<title>{what}: petabases a day, over {end / DAY:.3g} days</title>",
        f'<text x="{LEFT}" y="18">{what}: petabases a day</text>',
        f'<text x="{LEFT - 6}" y="{TOP + 5}" text-anchor="end">{top / 1e15:.2g}</text>',
        f'<text x="{LEFT - 6}" y="{floor + 5}" text-anchor="end">0</text>',
        f'<path d="M{LEFT},{TOP} V{floor} H{WIDTH - RIGHT}" fill="none" stroke="#888"/>',
        f'<text x="{LEFT}" y="{floor + 18}" text-anchor="middle">0</text>',
        f'<text x="{WIDTH - RIGHT}" y="{floor + 18}" text-anchor="end">{end / DAY:.3g} days</text>',
        f'<text x="{LEFT}" y="{HEIGHT - 8}" fill="#666">grey lines: so many of the runs had ended</text>',
    ]
    for share, (anchor, shift) in LABELS.items():
        x = LEFT + (WIDTH - LEFT - RIGHT) * found["time_to"][share] / end
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{floor}" stroke="{COLOURS["reference"]}"/>')
        label = share.replace("%", " %")
        parts.append(f'<text x="{x + shift:.1f}" y="{TOP - 6}" text-anchor="{anchor}">{label}</text>')
    parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS["wort"]}" stroke-width="2"/>')
    style = 'font-family="sans-serif" font-size="13" role="img"'
    size = f'width="{WIDTH}" height="{HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n' + "\n".join(parts) + "\n</svg>\n"


def in_points(amounts: list[float], step: float, end: float) -> list[float]:
    """Return the mean rate, for each day, of each of POINTS equal parts of the time until the end."""
    part = end / POINTS
    totals = [0.0] * POINTS
    for n, amount in enumerate(amounts):
        first = n * step
        last = min(first + step, end)
        while amount and first < last:
            point = min(POINTS - 1, int(first / part))
            border = last if point == POINTS - 1 else min(last, max((point + 1) * part, first + 1e-6 * part))
            totals[point] += amount * (border - first) / (min(n * step + step, end) - n * step)
            first = border
    return [DAY * total / part for total in totals]
