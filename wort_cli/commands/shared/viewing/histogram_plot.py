"""Draws histograms of abundances into a file, with matplotlib: `wort view ID --plot FILE`.

Both axes are logarithmic, as in the terminal.  Colour-blind readers can tell the colours (Okabe and Ito's
palette) apart; singletons are hatched, too.  The file has no date, so that it is the same each time.
"""

import logging
import warnings
from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wort_cli.commands.shared.showing import render
from wort_cli.errors import UsageError, shown
from wort_cli.reading.abundance import whole_histogram
from wort_cli.reading.facts import SketchFacts
from wort_cli.reading.histogram_axes import abundance, labelled, short, title_of
from wort_cli.reading.peaks import find_peaks
from wort_cli.system.atomic_files import atomic_output

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOWEST = 0.45
"""The left end of the axis of abundances."""
SUFFIXES = (".svg", ".png", ".pdf")
BARS, SINGLETONS, MARKS = "#0072B2", "#E69F00", "#D55E00"
LONGEST_TITLE = 90
FEW = 60
"""The largest abundance up to which 2 and 5 are labelled, too."""
STYLE: Mapping[Any, Any] = {
    "font.family": "DejaVu Sans", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False,
    "svg.hashsalt": "wort", "svg.fonttype": "none", "hatch.linewidth": 0.6, "pdf.fonttype": 42,
}  # fmt: skip


def check_plot(text: str, *, force: bool) -> Path:
    """Return the path of a plot; UsageError if its suffix is of no format, or if it exists (without `force`)."""
    path = Path(text)
    if path.suffix not in SUFFIXES:
        raise UsageError(f"--plot {shown(text, 200)}: the suffix chooses the format: {', '.join(SUFFIXES)}")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"--plot: there is no directory {shown(str(path.absolute().parent), 200)}")
    if path.exists() and not force:
        raise UsageError(f"--plot: {shown(text, 200)} exists", "choose another file, or replace it with --force")
    return path


def plot(title: str, sketches: Sequence[SketchFacts], path: Path) -> None:
    """Write the histograms of some sketches of a signature to a file; UsageError if none has abundances."""
    drawn = [sketch for sketch in sketches if sketch.histogram]
    if not drawn:
        raise UsageError("there is nothing to plot: the sketches have no abundances")
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # whatever the user's matplotlibrc says
        matplotlib.rcParams.update(STYLE)
        figure = Figure(figsize=(max(4.6, 3.1 * len(drawn) + 0.5), 3.4), layout="constrained")
        FigureCanvasAgg(figure)
        most = max(10.0, 1.15 * max(sketch.histogram[-1].borders[1] for sketch in drawn))
        axes = figure.subplots(1, len(drawn), sharex=True, sharey=True, squeeze=False)[0]
        for place, (panel, sketch) in enumerate(zip(axes, drawn, strict=True)):
            draw_sketch(panel, sketch, most)
            if place == 0:
                panel.set_ylabel("Hashes per abundance")
        set_axes(axes[0], drawn, most)
        heading = title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"
        figure.suptitle(render.printable(heading), fontsize=11, parse_math=False)
        figure.supxlabel("Abundance in the run", fontsize=9)
        save(figure, path)


def draw_sketch(panel: "Axes", sketch: SketchFacts, most: float) -> None:
    """Draw the histogram of one sketch, the bar of its singletons, and labels above its peaks."""
    bins = [each for each in whole_histogram(sketch.histogram) if each.low > 1]
    once = next((each.hashes for each in sketch.histogram if each.low == 1), 0)
    whole = sum(each.hashes for each in sketch.histogram)
    panel.bar(
        [1.0], [once], width=1.0, color=SINGLETONS, hatch="////", edgecolor="white", linewidth=0,
        label=f"seen once: {once:,} of {whole:,}",
    )  # fmt: skip
    if bins:
        edges = [bins[0].borders[0], *(each.borders[1] for each in bins)]
        panel.stairs([each.density for each in bins], edges, fill=True, color=BARS, linewidth=0)
        panel.stairs([each.density for each in bins], edges, color=BARS, linewidth=0.8)
    peaks = find_peaks(sketch.histogram)
    labels = labelled(peaks, log(most / LOWEST))
    for peak in peaks:
        near = [each.density for each in bins if each.high * 1.1 >= peak.abundance >= each.low / 1.1]
        panel.annotate(
            abundance(peak) if peak in labels else "",
            (peak.abundance, max(near)),
            xytext=(0, 9),
            textcoords="offset points",
            ha="center",
            va="bottom",
            color=MARKS,
            fontweight="bold",
            arrowprops={"arrowstyle": "-|>", "color": MARKS, "shrinkA": 0, "shrinkB": 1, "mutation_scale": 7},
        )
    panel.set_title(title_of(sketch), fontsize=10, loc="left")
    panel.legend(loc="upper right", fontsize=7.5, frameon=False, handlelength=1.2, borderaxespad=0.0)


def set_axes(panel: "Axes", sketches: Sequence[SketchFacts], most: float) -> None:
    """Set the scales and limits of the axes, which all panels share, with plain numbers as labels."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    heights = [each.density for sketch in sketches for each in sketch.histogram]
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlim(LOWEST, most)
    panel.set_ylim(min(heights) / 2, max(heights) * 8)  # the legend and the labels need room
    for axis in (panel.xaxis, panel.yaxis):
        labels = (1.0, 2.0, 5.0) if axis is panel.xaxis and most < FEW else (1.0,)
        axis.set_major_locator(LogLocator(10.0, subs=labels))
        axis.set_minor_locator(LogLocator(10.0, subs=list(range(2, 10))))
        axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
        axis.set_minor_formatter(NullFormatter())


def save(figure: Any, path: Path) -> None:
    """Write a figure under its name when it is complete, readable as the umask of a user's files allows."""
    kind = path.suffix[1:]
    dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[kind]

    with atomic_output(path.resolve()) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # letters of a name that the font lacks
        figure.savefig(file, format=kind, dpi=200, metadata=dates)
