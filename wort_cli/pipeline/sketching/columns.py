"""Columns: what an engine counts hashes of, each for a molecule, a ksize and a seed.

Profiles that are sketched in one pass share the columns that they have in common: a sketch with a larger scaled has
exactly those hashes of a smaller one that are at most its own max_hash, with the same abundances.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wort_cli.model.profile import Profile, max_hash_for_scaled
from wort_cli.model.signature_file import Sketch
from wort_cli.pipeline.sketching.hash_counts import HashCounts


@dataclass(frozen=True)
class Column:
    """The parameters of hashes that are counted together; `ksize` is the one that a signature stores."""

    moltype: str
    ksize: int
    seed: int


def columns_of(profile: Profile) -> tuple[Column, ...]:
    """Return the columns of a profile, in the order of its sketches."""
    return tuple(Column(profile.moltype, ksize, profile.seed) for ksize in profile.stored_ksizes)


def smallest_scaled(profiles: Sequence[Profile]) -> dict[Column, int]:
    """Return the columns of profiles, each with the smallest scaled that one of them has."""
    found: dict[Column, int] = {}
    for profile in profiles:
        for column in columns_of(profile):
            found[column] = min(found.get(column, profile.scaled), profile.scaled)
    return found


def sketches_of(profile: Profile, columns: Sequence[Column], counts: Sequence[HashCounts]) -> tuple[Sketch, ...]:
    """Return the sketches of a profile from the counts of columns, which have all its hashes."""
    sketches = []
    for column in columns_of(profile):
        hashes, abundances = counts[columns.index(column)].table()
        kept = int(np.searchsorted(hashes, np.uint64(max_hash_for_scaled(profile.scaled)), side="right"))
        sketches.append(
            Sketch(
                column.ksize,
                column.seed,
                profile.max_hash,
                hashes[:kept],
                abundances[:kept] if profile.abundance else None,
                column.moltype,
            )
        )
    return tuple(sketches)
