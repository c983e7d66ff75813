"""Histograms as SVG: bars, outline, ticks and marks are where the numbers are."""

import re

from tests.support.builders import MAX_HASH, numbers
from tests.support.served_home import spectrum_sketch
from wort_cli.model.signature_file import Sketch
from wort_cli.reading.abundance import Bin, abundance_histogram, sketch_statistics
from wort_cli.reading.facts import SketchFacts
from wort_cli.reading.peaks import find_peaks
from wort_cli.web.pages.histogram import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Axes, draw


def facts(sketch: Sketch) -> SketchFacts:
    return SketchFacts(sketch_statistics(sketch), 1, abundance_histogram(sketch))


def bins(*counts: tuple[int, int, int]) -> SketchFacts:
    """Return the facts of a sketch with these bins: low, high, hashes."""
    statistics = {"k": 21, "molecule": "DNA", "scaled": 1000}
    return SketchFacts(statistics, 1, tuple(Bin(*each) for each in counts))


def test_sketches_without_abundances_have_no_drawing() -> None:
    assert draw([bins()]) == ()


def test_every_element_is_inside_the_picture() -> None:
    for drawing in draw([facts(spectrum_sketch(k)) for k in (21, 31, 51)]):
        assert drawing.once is not None
        for bar in (drawing.once, *drawing.bars):
            assert LEFT <= bar.x <= bar.x + bar.width <= WIDTH - RIGHT + 0.1
            assert TOP <= bar.y <= bar.y + bar.height <= HEIGHT - BOTTOM + 0.1
        for tick in drawing.x_ticks:
            assert LEFT <= tick.at <= WIDTH - RIGHT
        for mark in drawing.marks:
            assert LEFT <= mark.x <= WIDTH - RIGHT
            assert mark.y >= TOP


def test_marks_are_the_peaks_that_other_drawings_mark() -> None:
    sketch = facts(spectrum_sketch(31))
    (drawing,) = draw([sketch])
    peaks = find_peaks(sketch.histogram)
    assert len(peaks) == len(drawing.marks) == 3
    axes = Axes.of([sketch.histogram])
    assert [mark.x for mark in drawing.marks] == [axes.x(peak.abundance) for peak in peaks]
    assert "peaks at 12, 52, 331" in drawing.summary


def test_equal_steps_of_the_axes_are_equal_factors() -> None:
    axes = Axes.of([bins((1, 1, 1000), (500, 600, 1)).histogram])
    assert abs((axes.x(100) - axes.x(10)) - (axes.x(10) - axes.x(1))) <= 0.2
    assert abs((axes.y(10) - axes.y(100)) - (axes.y(100) - axes.y(1000))) <= 0.2


def test_a_wide_bin_is_as_high_as_its_hashes_per_abundance() -> None:
    (drawing,) = draw([bins((1, 1, 50), (10, 10, 5), (50, 54, 25))])
    narrow, wide = drawing.bars
    assert narrow.y == wide.y
    assert wide.title == "abundance 50 to 54: 25 hashes"


def test_outline_returns_to_the_axis_between_bars() -> None:
    (drawing,) = draw([bins((1, 1, 9), (3, 3, 4), (9, 9, 4))])
    base = f"{HEIGHT - BOTTOM:g}"
    assert drawing.outline.startswith("M") and drawing.outline.endswith(f"V{base}Z")
    assert len(re.findall(rf"V{base}(?![\d.])", drawing.outline)) >= 3


def test_a_sketch_of_singletons_only_has_their_bar() -> None:
    (drawing,) = draw([bins((1, 1, 7))])
    assert drawing.once is not None
    assert (drawing.outline, drawing.bars, drawing.marks) == ("", (), ())
    assert drawing.once.title == "abundance 1: 7 hashes"
    assert drawing.summary == "7 of 7 hashes were seen once (100%); no peaks"


def test_the_largest_abundance_there_can_be_is_drawn() -> None:
    most = numbers([1, 2**64 - 1])
    (drawing,) = draw([facts(Sketch(21, 42, MAX_HASH, numbers([1, 2]), most))])
    assert len(drawing.bars) == 1
    assert sum(bool(tick.label) for tick in drawing.x_ticks) >= 10
