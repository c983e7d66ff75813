"""A sketch in numbers: how many k-mers it stands for, and how often they were seen."""

from typing import Any

import numpy as np

from wort_cli.model.signature_file import Sketch


def numbers_of(sketch: Sketch) -> dict[str, Any]:
    """Estimates for the whole run: each hash stands for `scaled` k-mers (Irber et al. 2022, FracMinHash)."""
    abundances = sketch.abundances
    kept = abundances is not None and len(abundances) > 0
    return {
        "k": sketch.ksize,
        "scaled": sketch.scaled,
        "hashes": len(sketch.hashes),
        "distinct_kmers": len(sketch.hashes) * sketch.scaled,
        "kmers": int(abundances.sum()) * sketch.scaled if abundances is not None and kept else "",
        "singletons": int((abundances == 1).sum()) if abundances is not None and kept else "",
        "median_abundance": f"{np.median(abundances):g}" if abundances is not None and kept else "",
        "md5": sketch.md5,
    }


def histogram(sketch: Sketch) -> dict[str, int]:
    """How many hashes were seen once, twice, 3 to 4, 5 to 8 times, and so on by powers of two."""
    if sketch.abundances is None or not len(sketch.abundances):
        return {}
    bars: dict[str, int] = {}
    low, high = 1, 1
    most = int(sketch.abundances.max())
    while low <= most:
        label = str(low) if low == high else f"{low}-{high}"
        bars[label] = int(((sketch.abundances >= low) & (sketch.abundances <= high)).sum())
        low, high = high + 1, high * 2
    return bars
