"""Statistics of one sketch: estimated k-mer counts and the histogram of abundances."""

from typing import Any

import numpy as np

from wort_cli.model.signature_file import Sketch


def sketch_statistics(sketch: Sketch) -> dict[str, Any]:
    """Return estimates for the whole run: each hash stands for `scaled` k-mers (Irber et al. 2022, FracMinHash)."""
    abundances = sketch.abundances
    has_abundances = abundances is not None and len(abundances) > 0
    return {
        "k": sketch.ksize,
        "scaled": sketch.scaled,
        "hashes": len(sketch.hashes),
        "distinct_kmers": len(sketch.hashes) * sketch.scaled,
        "kmers": int(abundances.sum()) * sketch.scaled if abundances is not None and has_abundances else "",
        "singletons": int((abundances == 1).sum()) if abundances is not None and has_abundances else "",
        "median_abundance": f"{np.median(abundances):g}" if abundances is not None and has_abundances else "",
        "md5": sketch.md5,
    }


def abundance_histogram(sketch: Sketch) -> dict[str, int]:
    """Count the hashes with abundance 1, 2, 3 to 4, 5 to 8, and so on by powers of two."""
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
