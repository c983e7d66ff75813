"""The provenance of a signature, its trust, and its entry in the catalog."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from wort_cli.model.accession import Name, parse_name
from wort_cli.model.read_files import ReadFile


class Trust(StrEnum):
    """The levels of trust in a signature; docs/trust.md explains them."""

    COMPUTED = "computed"
    UNPROVED = "unproved"
    PUBLISHED = "published"
    UNVERIFIED = "unverified"
    QUICK_CHECKED = "quick-checked"
    VERIFIED = "verified"
    MISMATCH = "mismatch"
    UNVERIFIABLE = "unverifiable"


RANKS = (
    Trust.VERIFIED,
    Trust.COMPUTED,
    Trust.UNPROVED,
    Trust.QUICK_CHECKED,
    Trust.PUBLISHED,
    Trust.UNVERIFIED,
    Trust.UNVERIFIABLE,
    Trust.MISMATCH,
)
"""The levels of trust, highest first."""
ESTABLISHED = frozenset({Trust.VERIFIED, Trust.COMPUTED})
"""Levels that only this home's own work gives.  Only such signatures are published."""
ELSEWHERE = frozenset({Trust.PUBLISHED, Trust.UNVERIFIED, Trust.QUICK_CHECKED, Trust.UNVERIFIABLE})
"""Levels of signatures that others computed; what their provenance says is their claim."""


@dataclass(frozen=True)
class Recorded:
    """A signature, as the catalog has recorded it."""

    digest: str
    trust: Trust
    sha256: str = ""
    """The sha256 of the file; empty if an earlier version recorded the signature."""


def trust_to_record(before: Recorded | None, digest: str, trust: Trust) -> Trust | None:
    """Return the trust with which the catalog records a signature; None if it must keep the one that it has.

    The same content keeps the higher trust, except that what was refuted stays refuted until this home computes it.
    Other content never replaces a signature of established trust unless its own is as high.
    """
    if before is None:
        return trust
    if before.digest == digest:
        if before.trust is Trust.MISMATCH and trust not in (*ESTABLISHED, Trust.UNPROVED):
            return Trust.MISMATCH
        return min(before.trust, trust, key=RANKS.index)
    protected = before.trust in ESTABLISHED and RANKS.index(trust) > RANKS.index(before.trust)
    return None if protected else trust


@dataclass(frozen=True)
class SketchSummary:
    """A summary of one sketch; `note` is the Reason why a sketch is empty."""

    ksize: int
    hashes: int
    abundance_sum: int
    md5: str
    note: str = ""


FILE_SUMS = "file-sums"
"""The value of `proved_by` for files of reads: what was sketched are the bytes that have the recorded sums."""
MD5_LIST = "md5checksums"
"""The value of `proved_by` for an assembly, whose file has the md5 that NCBI lists beside it."""
UNPROVED = "nothing"
"""The value of `proved_by` if the SRA toolkit streamed the reads."""
LATER = frozenset(
    {
        *("decoders", "format", "proved_by", "proof", "identified", "url", "source_md5", "references", "identity"),
        *("reads_left_out", "colour_space", "files", "filename", "parts", "missing", "profile_sha256"),
        *("title", "assembly"),
    }
)
"""Keys that are missing in provenance documents of earlier versions."""
LEFT_OUT = ("profile_sha256", "title", "assembly")
"""Keys that are not in the document if they are empty."""


@dataclass(frozen=True)
class Provenance:
    """The provenance of a signature; stored as a JSON document beside it."""

    name: str
    profile: str
    digest: str
    sketches: tuple[SketchSummary, ...]
    spots: int
    """The number of spots in the archive; all of them were read."""
    spots_passed: int
    """The number of spots with at least one read that passed the read filter."""
    reads: int
    bases: int
    source: str
    """The path of the archive on disk, or `remote`."""
    source_size: int
    """The size of the archive, in bytes."""
    source_sha256: str
    """The checksum of an archive on disk; empty for a remote one."""
    source_mtime: float
    """The modification time of an archive on disk, in seconds since 1970; 0 for a remote one."""
    validated: bool
    """Whether vdb-validate confirmed the checksums of the archive."""
    tools: Mapping[str, str]
    argv: tuple[str, ...]
    slices: int
    """The number of slices."""
    engine: str
    started_at: float
    seconds: float
    host: str
    decoders: tuple[str, ...] = ()
    """The decoders of the slices.  Every decoder yields the same reads as the command `argv`."""
    format: str = ""
    """The format of the archive, `normalized` or `lite`; empty if the toolkit chose it."""
    proved_by: str = ""
    """The proof that the archive is undamaged: `column-md5s`, `archive-md5`, `vdb-validate` or `nothing`.

    `file-sums` for files of reads, whose own sums are recorded; `md5checksums` for an assembly.  Empty in documents of
    earlier versions.
    """
    proof: str = ""
    """The md5 of the archive, or the sha256 of the list of md5 sums that were compared."""
    identified: bool = False
    """Whether NCBI's locator confirmed, in this attempt, that this is the archive of the run."""
    url: str = ""
    """The URL that the archive was fetched from, without its query; empty if it was on disk."""
    source_md5: str = ""
    """The md5 of the archive according to the locator, else empty."""
    references: Mapping[str, str] = field(default_factory=dict)
    """The md5 of each file of reference sequences outside of the archive, by the file's name."""

    reads_left_out: int | None = None
    """Reads that pass the filters, but that the recipe leaves out, because their spot has more reads than
    `fastq-dump` writes; None if they were not counted."""
    colour_space: bool = False
    """Whether the archive has colours instead of bases (SOLiD), from which the SRA toolkit guesses the bases."""
    files: tuple[ReadFile, ...] = ()
    """The files of reads, in order; empty if the source is an archive or a run."""
    filename: str = ""
    """The field `filename` of the signature."""
    profile_sha256: str = ""
    """The checksum of the profile's definition; empty, and not in the document, if the profile is built in."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """The digest of each signature that was added up, by its name; empty if reads were sketched."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Why each run that belongs to the sum was not added, by its name."""
    title: str = ""
    """The field `name` of the signature, if it is not `name`: that of an assembly has its organism."""
    assembly: Mapping[str, str] = field(default_factory=dict)
    """Facts of NCBI about the assembly: `organism`, `strain`, `asm_name`, `status`, `listed_in`."""

    @property
    def is_unproved(self) -> bool:
        """Whether nothing proved that the reads are those of an undamaged archive."""
        return self.proved_by == UNPROVED

    @property
    def identity(self) -> str:
        """The evidence that the archive is that of the run: `locator`, or only the `name` of the file or of the job."""
        return "locator" if self.identified else "name"

    def to_json(self) -> dict[str, Any]:
        """Return the provenance as JSON-ready data."""
        facts = {**asdict(self), "identity": self.identity}
        return {key: facts[key] for key in facts if facts[key] or key not in LEFT_OUT}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return the provenance from the data of `to_json`; keys of later versions are ignored.

        Raises KeyError, ValueError or TypeError if a key is missing or invalid.
        """
        kinds = {key: found.type for key, found in cls.__dataclass_fields__.items() if key in data or key not in LATER}
        return cls(**{key: checked(key, data[key], kind) for key, kind in kinds.items()})


MAX_TEXT, MAX_ITEMS, MAX_NUMBER = 10_000, 1_000, 1 << 80
"""Characters of a text, items of a list, and the largest number in a provenance."""
MAX_PARTS = 5_000
"""Signatures that one is the sum of; the document of so many is below a megabyte."""


def checked(key: str, value: Any, kind: Any) -> Any:
    """Return a value from JSON as a field of type `kind`; raise ValueError or TypeError if it does not fit."""
    items = isinstance(value, list | tuple) and len(value) <= MAX_ITEMS
    if kind == tuple[str, ...] and items:
        return tuple(checked(key, text, str) for text in value)
    if kind == tuple[SketchSummary, ...] and items:
        return tuple(sketch_summary(sketch) for sketch in value)
    if kind == tuple[ReadFile, ...] and items:
        return tuple(read_file(file) for file in value)
    most = MAX_PARTS if key in ("parts", "missing") else MAX_ITEMS
    if kind == Mapping[str, str] and isinstance(value, dict) and len(value) <= most:
        return {checked(key, name, str): checked(key, text, str) for name, text in value.items()}
    if kind == (int | None):
        return None if value is None else checked(key, value, int)
    fits = {
        str: isinstance(value, str) and len(value) <= MAX_TEXT,
        bool: isinstance(value, bool),
        int: type(value) is int and 0 <= value <= MAX_NUMBER,
        float: type(value) in (int, float) and math.isfinite(value) and abs(value) <= MAX_NUMBER,
    }
    if not fits.get(kind, False):
        raise TypeError(f"{key} is invalid")
    return value


def read_file(data: Any) -> ReadFile:
    """Return what was read of a file from JSON data; raise KeyError, ValueError or TypeError if it is invalid."""
    if not isinstance(data, dict):
        raise TypeError("a file is not an object")
    kinds = ReadFile.__dataclass_fields__
    return ReadFile(**{key: checked(key, data[key], found.type) for key, found in kinds.items()})


def sketch_summary(data: Any) -> SketchSummary:
    """Return the summary of a sketch from JSON data; raise KeyError, ValueError or TypeError if it is invalid."""
    if not isinstance(data, dict):
        raise TypeError("a sketch is not an object")
    given = {"note": "", **data}
    kinds = SketchSummary.__dataclass_fields__
    return SketchSummary(**{key: checked(key, given[key], found.type) for key, found in kinds.items()})


@dataclass(frozen=True)
class SignatureRecord:
    """An entry of the catalog."""

    name: Name
    profile: str
    digest: str
    trust: Trust
    path: str
    """The path of the signature, relative to the local store's root; empty if it is only in the bucket."""
    size: int
    """The size of the signature file, in bytes."""
    created_at: float
    provenance: Provenance = field(repr=False)
    remote: str = ""
    """The URL of the object in the bucket, once its upload was confirmed; else empty."""
    sha256: str = ""
    """The sha256 of the file, or of the object if there is no file; empty if an earlier version recorded it."""

    @property
    def recorded(self) -> Recorded:
        """The identity of the signature, and its trust."""
        return Recorded(self.digest, self.trust, self.sha256)

    @classmethod
    def from_row(cls, row: Mapping[str, Any], provenance: Mapping[str, Any]) -> "SignatureRecord":
        """Return the record in a row of the table `signatures`."""
        return cls(
            name=parse_name(row["name"]),
            profile=row["profile"],
            digest=row["digest"],
            trust=Trust(row["trust"]),
            path=row["path"],
            size=row["size"],
            created_at=row["created_at"],
            provenance=Provenance.from_json(provenance),
            remote=row["remote"],
            sha256=row["sha256"],
        )
