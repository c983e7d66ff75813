"""Draws histograms of abundances with characters, side by side: the k-mer spectra of a signature in a terminal.

Both axes are logarithmic.  A character of a bar is two columns wide and two levels high.  Singletons have a bar of
their own at the left, of another shade, because most of them are sequencing errors.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from wort_cli.reading.abundance import Bin
from wort_cli.reading.facts import SketchFacts
from wort_cli.reading.histogram_axes import Scale, abundance, short, title_of
from wort_cli.reading.peaks import Peak, find_peaks

ROWS = 10
"""Characters of the height of a panel."""
LEAST_WIDTH = 23
"""Characters of the narrowest panel: 40 columns, and the bar of singletons."""
MOST_WIDTH = 78
SINGLETONS_WIDTH = 2
GAP = 2
"""Characters between two panels."""
QUADRANTS = " ▖▌▗▄▙▐▟█"
"""Indexed by 3 * the levels of the right column + those of the left one."""
SINGLETONS = "░"
MARK = "▼"
STYLES = {f"{SINGLETONS}+": "yellow", f"{MARK}": "bold red", "[▖▌▗▄▙▐▟█]+": "cyan", "[─│┤]+": "dim"}
"""The styles of characters, by pattern."""


@dataclass(frozen=True)
class Panel:
    """The histogram of one sketch."""

    title: str
    bins: Sequence[Bin]
    peaks: Sequence[Peak]

    @property
    def singletons(self) -> int:
        """The number of hashes with abundance 1."""
        return self.bins[0].hashes if self.bins[0].low == 1 else 0

    @property
    def others(self) -> Sequence[Bin]:
        """The bins without that of the singletons."""
        return [each for each in self.bins if each.low > 1]


def draw(sketches: Sequence[SketchFacts], width: int) -> Iterator[str]:
    """Yield the lines of the histograms of some sketches; sketches without abundances have none."""
    panels = [
        Panel(title_of(sketch), sketch.histogram, find_peaks(sketch.histogram))
        for sketch in sketches
        if sketch.histogram
    ]
    if not panels:
        return
    heights = [each.density for panel in panels for each in panel.bins]
    y_scale = Scale(min(heights) / 2, max(heights) * 1.2)
    x_scale = Scale(1.5, max(3.5, *(panel.bins[-1].borders[1] for panel in panels)))
    labels = y_labels(y_scale)
    margin = max(map(len, labels)) + 2
    columns = max(1, min(len(panels), (width - margin + GAP) // (LEAST_WIDTH + GAP)))
    size = max(LEAST_WIDTH, min(MOST_WIDTH, (width - margin + GAP) // columns - GAP))
    for start in range(0, len(panels), columns):
        if start:
            yield ""
        drawn = [draw_panel(panel, x_scale, y_scale, size) for panel in panels[start : start + columns]]
        beside = ["", "", *(f"{label:>{margin - 2}} ┤" if label else f"{'':>{margin - 2}} │" for label in labels)]
        for row in range(len(drawn[0])):
            edge = beside[row] if row < len(beside) else ""
            yield f"{edge:<{margin}}{(' ' * GAP).join(lines[row] for lines in drawn)}".rstrip()


def draw_panel(panel: Panel, x_scale: Scale, y_scale: Scale, size: int) -> list[str]:
    """Return the lines of a panel, each `size` characters wide: title, marks of peaks, bars, axis, labels, facts."""
    axis = size - SINGLETONS_WIDTH - 1
    levels = column_levels(panel.others, x_scale, y_scale, 2 * axis)
    first = level_of(panel.singletons, y_scale, ROWS)
    lines = [f"{panel.title:<{size}}", " " * (SINGLETONS_WIDTH + 1) + marks(panel.peaks, x_scale, axis)]
    for row in range(ROWS):
        below = ROWS - 1 - row
        bar = (SINGLETONS if first > below else " ") * SINGLETONS_WIDTH
        filled = [min(2, max(0, level - 2 * below)) for level in levels]
        bars = "".join(QUADRANTS[left + 3 * right] for left, right in zip(filled[::2], filled[1::2], strict=True))
        lines.append(f"{bar} {bars}")
    lines += [f"{'─' * SINGLETONS_WIDTH} {'─' * axis}", f"{'1':<{SINGLETONS_WIDTH + 1}}{x_labels(x_scale, axis)}"]
    whole = sum(each.hashes for each in panel.bins)
    lines.append(f"{SINGLETONS} once: {short(panel.singletons)} ({panel.singletons / whole:.0%})")
    lines.append(fitting([abundance(peak) for peak in panel.peaks], size))
    return [f"{line:<{size}}" for line in lines]


def column_levels(bins: Sequence[Bin], x_scale: Scale, y_scale: Scale, columns: int) -> list[int]:
    """Return the height of each column in half characters: of the mean density of the abundances that it covers."""
    borders = [x_scale.value(place / columns) for place in range(columns + 1)]
    found = []
    for left, right in pairwise(borders):
        hashes = 0.0
        for each in bins:
            low, high = each.borders
            hashes += each.density * max(0.0, min(high, right) - max(low, left))
        found.append(level_of(hashes / (right - left), y_scale, 2 * ROWS))
    return found


def level_of(height: float, scale: Scale, levels: int) -> int:
    """Return the level of a height; 0 for nothing, and at least 1 for anything."""
    return max(1, min(levels, round(levels * scale.share(height)))) if height > 0 else 0


def marks(peaks: Sequence[Peak], scale: Scale, width: int) -> str:
    """Return a line with a mark above each peak."""
    places = {min(width - 1, int(width * scale.share(max(peak.abundance, scale.low)))) for peak in peaks}
    return "".join(MARK if place in places else " " for place in range(width))


def y_labels(scale: Scale) -> list[str]:
    """Return a label for each row, from the top: powers of ten, where there is one in the row."""
    labels = [""] * ROWS
    for power in range(-20, 21):
        share = scale.share(10.0**power)
        if 0 <= share < 1:
            labels[ROWS - 1 - int(share * ROWS)] = short(10.0**power)
    return labels


def x_labels(scale: Scale, width: int) -> str:
    """Return a line with the labels of the axis: powers of ten, and between them 2 and 5 where there is room."""
    line = [" "] * width
    powers = [10**power for power in range(20)]
    for value in (*powers, *(5 * power for power in powers), *(2 * power for power in powers)):
        if not scale.low <= value <= scale.high:
            continue
        label = short(value)
        start = min(width - len(label), int(width * scale.share(value)))
        if all(letter == " " for letter in line[max(0, start - 2) : start + len(label) + 2]):
            line[start : start + len(label)] = label
    return "".join(line)


def fitting(places: Sequence[str], width: int) -> str:
    """Return a line with the places of the peaks, as many as fit."""
    text = f"{MARK} " + ("peaks: " if len(places) > 1 else "peak: ") + ", ".join(places) if places else "no peaks"
    return text if len(text) <= width else text[: width - 1] + "…"
