"""Histograms of abundances as SVG: where each bar, tick and label is.  The template writes the elements.

Both axes are logarithmic, and all sketches of a signature share them, as in the drawings of `wort view`.  Singletons
have a bar of their own colour, because most of them are sequencing errors.  Colours are those of the style sheet.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

from wort_cli.reading.abundance import Bin, whole_histogram
from wort_cli.reading.facts import SketchFacts
from wort_cli.reading.histogram_axes import Scale, abundance, labelled, short, title_of
from wort_cli.reading.peaks import Peak, find_peaks

WIDTH, HEIGHT = 380.0, 250.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 10.0, 12.0, 40.0
"""The margins around the axes."""
LOWEST = 0.45
"""The left end of the axis of abundances."""
ROOM = 5.0
"""The height of the axis as a multiple of the highest bar; the labels of the peaks need the space."""
LETTER = 0.024
"""The share of the axis that a digit of a label takes."""
FEW = 60
"""The largest abundance up to which 2 and 5 are labelled, too."""


@dataclass(frozen=True)
class Tick:
    """A tick of an axis: its place, and its label; empty for a minor tick."""

    at: float
    label: str


@dataclass(frozen=True)
class Bar:
    """A bar, and what a reader learns who points at it."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class Mark:
    """The mark of a peak: the tip of its arrow; the label is empty where others leave no room."""

    x: float
    y: float
    label: str
    title: str


@dataclass(frozen=True)
class Drawing:
    """The histogram of one sketch."""

    k: int
    title: str
    outline: str
    """The outline of all bars but that of the singletons, as the path data of SVG; empty if there are none."""
    once: Bar | None
    bars: tuple[Bar, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    summary: str
    """The histogram in words, for readers who do not see it."""


@dataclass(frozen=True)
class Axes:
    """The axes that all drawings of a signature share."""

    x_scale: Scale
    y_scale: Scale

    @classmethod
    def of(cls, histograms: Sequence[Sequence[Bin]]) -> "Axes":
        """Return axes on which all bins fit."""
        heights = [each.density for bins in histograms for each in bins]
        most = max(10.0, 1.15 * max(bins[-1].borders[1] for bins in histograms))
        return cls(Scale(LOWEST, most), Scale(min(heights) / 2, max(heights) * ROOM))

    def x(self, value: float) -> float:
        """Return the place of an abundance."""
        return round(LEFT + (WIDTH - LEFT - RIGHT) * self.x_scale.share(value), 1)

    def y(self, density: float) -> float:
        """Return the place of a number of hashes."""
        share = self.y_scale.share(density) if density > 0 else 0.0
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(1.0, max(0.0, share)), 1)

    @property
    def base(self) -> float:
        """The place of the axis of abundances."""
        return HEIGHT - BOTTOM

    def x_ticks(self) -> tuple[Tick, ...]:
        """Return the ticks of the axis of abundances: 1 to 9 of each power of ten, and the labels of some."""
        shown = (1, 2, 5) if self.x_scale.high < FEW else (1,)
        return tuple(
            Tick(self.x(value), short(value) if step in shown else "")
            for power in range(20)
            for step in range(1, 10)
            if self.x_scale.low <= (value := step * 10.0**power) <= self.x_scale.high
        )

    def y_ticks(self) -> tuple[Tick, ...]:
        """Return the ticks of the other axis: powers of ten, of which at most every second is labelled if many."""
        powers = [power for power in range(-20, 21) if self.y_scale.low <= 10.0**power <= self.y_scale.high]
        every = 1 + len(powers) // 7
        return tuple(Tick(self.y(10.0**power), short(10.0**power) if power % every == 0 else "") for power in powers)


def draw(sketches: Sequence[SketchFacts]) -> tuple[Drawing, ...]:
    """Return the histograms of those of some sketches that have abundances."""
    drawn = [sketch for sketch in sketches if sketch.histogram]
    if not drawn:
        return ()
    axes = Axes.of([sketch.histogram for sketch in drawn])
    return tuple(draw_sketch(sketch, axes) for sketch in drawn)


def draw_sketch(sketch: SketchFacts, axes: Axes) -> Drawing:
    """Return the histogram of one sketch."""
    bins = whole_histogram(sketch.histogram)
    once = next((each for each in bins if each.low == 1 and each.hashes), None)
    others = [each for each in bins if each.low > 1]
    peaks = find_peaks(sketch.histogram)
    return Drawing(
        k=sketch.statistics["k"],
        title=title_of(sketch),
        outline=outline(others, axes) if any(each.hashes for each in others) else "",
        once=bar(once, axes) if once else None,
        bars=tuple(bar(each, axes) for each in others if each.hashes),
        x_ticks=axes.x_ticks(),
        y_ticks=axes.y_ticks(),
        marks=tuple(marks(peaks, others, axes)),
        summary=summary(bins, peaks),
    )


def bar(each: Bin, axes: Axes) -> Bar:
    """Return the bar of a bin."""
    left, right = (axes.x(border) for border in each.borders)
    top = axes.y(each.density)
    where = f"{each.low:,}" if each.low == each.high else f"{each.low:,} to {each.high:,}"
    title = f"abundance {where}: {each.hashes:,} {'hash' if each.hashes == 1 else 'hashes'}"
    return Bar(left, top, round(right - left, 1), round(axes.base - top, 1), title)


def outline(bins: Sequence[Bin], axes: Axes) -> str:
    """Return the outline of adjacent bars as path data."""
    parts = [f"M{axes.x(bins[0].borders[0]):g} {axes.base:g}"]
    for each in bins:
        parts.append(f"V{axes.y(each.density):g}H{axes.x(each.borders[1]):g}")
    return "".join([*parts, f"V{axes.base:g}Z"])


def marks(peaks: Sequence[Peak], bins: Sequence[Bin], axes: Axes) -> Iterator[Mark]:
    """Yield the marks above the peaks."""
    named = labelled(peaks, log(axes.x_scale.high / axes.x_scale.low), LETTER)
    for peak in peaks:
        near = [each.density for each in bins if each.high * 1.1 >= peak.abundance >= each.low / 1.1]
        title = f"peak at abundance {abundance(peak)}: {peak.hashes:,} hashes"
        yield Mark(axes.x(peak.abundance), axes.y(max(near)) - 3, abundance(peak) if peak in named else "", title)


def summary(bins: Sequence[Bin], peaks: Sequence[Peak]) -> str:
    """Return a histogram in words."""
    whole = sum(each.hashes for each in bins)
    once = bins[0].hashes if bins[0].low == 1 else 0
    found = ", ".join(abundance(peak) for peak in peaks)
    places = f"peaks at {found}" if len(peaks) > 1 else f"a peak at {found}" if peaks else "no peaks"
    return f"{once:,} of {whole:,} hashes were seen once ({once / whole:.0%}); {places}"
