"""The metadata of a run, known without its archive: organism, library, platform, amounts, and its records."""

from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class RunMetadata:
    """One run.  Empty texts and None stand for what is not known."""

    run: str
    project: str = ""
    """The accession of the BioProject: PRJ..."""
    study: str = ""
    """The accession of the study, such as SRP..."""
    experiment: str = ""
    sample: str = ""
    """The accession of the sample, such as SRS..."""
    biosample: str = ""
    """SAM..."""
    taxid: int | None = None
    organism: str = ""
    """Its scientific name."""
    strategy: str = ""
    """The strategy of the library, such as WGS."""
    source: str = ""
    """The source of the library, such as METAGENOMIC."""
    selection: str = ""
    """The selection of the library, such as RANDOM."""
    layout: str = ""
    """SINGLE or PAIRED."""
    platform: str = ""
    model: str = ""
    spots: int | None = None
    bases: int | None = None
    bytes: int | None = None
    """The size of its archive, rounded to MB by some sources."""
    released: str = ""
    """The date of its publication, as YYYY-MM-DD."""
    updated: str = ""
    """The date of its last change, as YYYY-MM-DD."""

    def filled(self, other: "RunMetadata") -> "RunMetadata":
        """Return this with the values of `other` for what is not known here."""
        missing = {name: getattr(other, name) for name in FIELDS if getattr(self, name) in ("", None)}
        return replace(self, **missing) if missing else self

    def values(self) -> tuple[Any, ...]:
        """Return the values in the order of FIELDS."""
        return tuple(getattr(self, name) for name in FIELDS)


FIELDS = tuple(field.name for field in fields(RunMetadata))
MEGABYTE = 1 << 20
"""Bytes in a unit of NCBI's columns size_MB and mbytes."""
