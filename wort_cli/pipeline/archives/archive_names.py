"""The names that archives of runs have on disk, in one table.

A file with one of these names is looked at only if it starts like an archive (on_disk.py).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wort_cli.model.accession import RUN
from wort_cli.model.archive_format import Format


@dataclass(frozen=True)
class Ending:
    """The suffix of the name of an archive, after the accession."""

    text: str
    format: Format
    """The format that archives of this name usually have; archive_format.py looks into the archive."""


COLUMNS = ".columns"
"""The last part of the name of a file that has only some columns of an archive, with a record (fetch_record.py)."""
ENDINGS = (
    Ending(".sra", Format.NORMALIZED),  # prefetch, `wort fetch --whole`
    Ending(".csra", Format.NORMALIZED),  # older versions of prefetch, for aligned runs
    Ending(".kar", Format.NORMALIZED),  # kar(1)
    Ending("", Format.NORMALIZED),  # copies of the open-data bucket
    Ending(".sra.1", Format.NORMALIZED),  # copies of NCBI's cloud buckets
    Ending(".1", Format.NORMALIZED),
    Ending(".sralite", Format.LITE),  # prefetch, `wort fetch --whole`
    Ending(".lite", Format.LITE),  # copies of NCBI's cloud buckets
    Ending(".sralite.1", Format.LITE),
    Ending(".lite.1", Format.LITE),
    Ending(f".sra{COLUMNS}", Format.NORMALIZED),  # `wort fetch`
    Ending(f".sralite{COLUMNS}", Format.LITE),
)
"""The suffixes of archives of one format, in the order of preference."""
PLACES = ("{run}/{run}{ending}", "{run}{ending}")
"""Where the files are below a directory: one directory for each run, or all files in one."""

LONGEST_FIRST = sorted((ending.text for ending in ENDINGS if ending.text), key=len, reverse=True)
GENERAL = (".sra", ".sralite", ".csra", ".kar")
"""Endings that also mark an archive which is not named after a run."""
VERSIONED = re.compile(r"(.+)\.[1-9][0-9]?")
"""NCBI's cloud buckets add the version of an archive to its name."""


def places_of(run: str, directory: Path) -> Iterator[Path]:
    """Yield the paths that the archive of a run may have below a directory."""
    for ending in ENDINGS:
        for place in PLACES:
            yield directory / place.format(run=run, ending=ending.text)


def names_of(name: str) -> Iterator[str]:
    """Yield the names that the file of an archive may have."""
    for ending in ENDINGS:
        yield f"{name}{ending.text}"


def ending_of(filename: str) -> Ending:
    """Return the ending of a file's name; the empty one if it has none of the table."""
    for text in LONGEST_FIRST:
        if filename.endswith(text):
            return next(ending for ending in ENDINGS if ending.text == text)
    return next(ending for ending in ENDINGS if not ending.text)


def stem_of(filename: str) -> str:
    """Return the name of an archive: the run that its file is named after, else the name without a general ending."""
    if run := run_named_by(filename):
        return run
    for text in GENERAL:
        if filename.endswith(text):
            return filename.removesuffix(text)
    return filename


def run_named_by(filename: str) -> str:
    """Return the accession that a file is named after, with an ending of the table; '' if there is none."""
    versioned = VERSIONED.fullmatch(filename)
    for name in (filename, versioned[1] if versioned else ""):
        for ending in ENDINGS:
            stem = name.removesuffix(ending.text)
            if name.endswith(ending.text) and RUN.fullmatch(stem):
                return stem
    return ""


def is_archive_name(filename: str) -> bool:
    """Return whether a name is that of an archive rather than an accession."""
    return filename.endswith(GENERAL) or run_named_by(filename) not in ("", filename)
