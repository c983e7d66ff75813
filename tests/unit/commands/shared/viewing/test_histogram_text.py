"""Histograms in a terminal show their humps, at every width."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.support.builders import sketch
from wort_cli.commands.shared.viewing.histogram_text import SINGLETONS, draw
from wort_cli.model.signature_file import SignatureDocument, Sketch
from wort_cli.reading.facts import SignatureFacts, SketchFacts

BLOCKS = "▖▌▗▄▙▐▟█"


def genome(ksize: int = 21, depth: int = 30, seed: int = 1) -> Sketch:
    """A genome of 5000 hashes, and 20,000 hashes with sequencing errors."""
    rng = np.random.default_rng(seed)
    abundances = np.concatenate([np.ones(20_000, np.int64), rng.poisson(depth, 5000)])
    return sketch(range(len(abundances)), abundances.tolist(), ksize)


def facts(*sketches: Sketch) -> Sequence[SketchFacts]:
    return SignatureFacts.of(SignatureDocument("x", "", sketches)).sketches


def lines(width: int, *sketches: Sketch) -> list[str]:
    return list(draw(facts(*sketches), width))


def test_one_sketch_looks_as_in_this_picture() -> None:
    assert lines(60, genome(depth=40)) == [
        "     k=21",
        "                                                    ▼",
        "10k ┤░░",
        "    │░░",
        " 1k ┤░░",
        "    │░░                                            ▄▄",
        "100 ┤░░                                         ▄▟████▄",
        "    │░░                                       ▗█████████▖",
        " 10 ┤░░                                      ▄██████████▙▖",
        "    │░░                                   ▗▄█████████████▙",
        "  1 ┤░░                                   ▐████████████████",
        "    │░░                                   ▐████████████████▄",
        "     ── ────────────────────────────────────────────────────",
        "     1     2            5        10       20           50",
        "     ░ once: 20k (80%)",
        "     ▼ peak: 40",
    ]


@pytest.mark.parametrize("width", [40, 80, 100, 120, 200])
def test_lines_fit_the_terminal(width: int) -> None:
    found = lines(width, genome(21), genome(31, 25), genome(51, 20))
    assert max(map(len, found)) <= width


def test_three_sketches_are_side_by_side_at_80_columns_with_40_bins_each() -> None:
    found = lines(80, genome(21), genome(31, 25), genome(51, 20))
    assert [word for word in found[0].split() if word.startswith("k=")] == ["k=21", "k=31", "k=51"]
    axes = max(found, key=lambda line: line.count("─")).split()
    assert [2 * len(axis) for axis in axes] == [4, 40, 4, 40, 4, 40]
    assert found[1].count("▼") == 3


def test_hump_is_below_its_mark() -> None:
    found = lines(80, genome())
    place = found[1].index("▼")
    top = next(line for line in found[2:] if any(block in line for block in BLOCKS))
    assert top[place] in BLOCKS
    assert top[place - 10] == " "


def test_singletons_have_a_bar_of_their_own() -> None:
    found = lines(80, genome())
    highest = next(line for line in found[2:] if SINGLETONS in line)
    assert highest.endswith(2 * SINGLETONS)  # higher than all other bars
    few = lines(80, sketch([1, 2, 3], [2, 2, 2]))
    assert not any(SINGLETONS in line for line in few if "once" not in line)


def test_sketch_without_abundances_has_no_histogram() -> None:
    assert lines(80, sketch([1, 2], None)) == []
    assert lines(80, sketch([], [])) == []
    protein = replace(genome(30), moltype="protein")
    assert "protein k=10" in lines(80, sketch([1, 2], None), protein)[0]


def test_largest_abundances_can_be_drawn() -> None:
    found = lines(80, sketch([1, 2, 3], [1, 5, 2**64 - 1]))
    assert max(map(len, found)) <= 80
