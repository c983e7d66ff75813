"""Draws the comparison as an SVG: two bars for each run, whose lengths are the median wall times."""

import statistics
from collections.abc import Mapping, Sequence

from benchmarks.measure import Figures

WIDTH, BAR, GAP, LEFT = 720, 22, 18, 150
COLOURS = {"reference": "#b0b0b0", "wort": "#2f7f4f"}


def picture(results: Mapping[int, Mapping[str, Sequence[Figures]]]) -> str:
    """Return the SVG.  Each run has its own scale, and the bar of the slower program has the full width."""
    parts, y = [], GAP
    for megabases, runs in results.items():
        medians = {who: statistics.median(run.wall for run in figures) for who, figures in runs.items()}
        longest = max(medians.values())
        for who, seconds in medians.items():
            length = (WIDTH - LEFT - 120) * seconds / longest
            times = f", {medians['reference'] / seconds:.1f} times faster" if who == "wort" else ""
            parts.append(f'<text x="{LEFT - 8}" y="{y + 16}" text-anchor="end">{megabases} Mbp, {who}</text>')
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{length:.0f}" height="{BAR}" fill="{COLOURS[who]}"/>')
            parts.append(f'<text x="{LEFT + length + 6:.0f}" y="{y + 16}">{seconds:.1f} s{times}</text>')
            y += BAR + 4
        y += GAP
    style = 'font-family="sans-serif" font-size="13"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" {style}>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )
