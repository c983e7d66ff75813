"""What is known of a signature: its sketches, its digest, how it came to be, how far it is trusted.  Values only."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from wort_cli.model.accession import Name, parse_name


class Trust(StrEnum):
    """How far a signature is believed."""

    COMPUTED = "computed"
    UNVERIFIED = "unverified"
    QUICK_CHECKED = "quick-checked"
    VERIFIED = "verified"
    MISMATCH = "mismatch"
    UNVERIFIABLE = "unverifiable"


@dataclass(frozen=True)
class SketchSummary:
    """One sketch in numbers; `note` is the Reason that explains an empty one."""

    ksize: int
    hashes: int
    abundance_sum: int
    md5: str
    note: str = ""


LATER = frozenset({"decoders"})
"""Keys of provenance that documents of earlier versions do not have."""


@dataclass(frozen=True)
class Provenance:
    """How a signature came to be: the JSON document beside it."""

    name: str
    profile: str
    digest: str
    sketches: tuple[SketchSummary, ...]
    spots: int
    """Spots of the archive, by its own count; all of them were read."""
    spots_passed: int
    """Spots with a read that passed the read filter."""
    reads: int
    bases: int
    source: str
    """Where the reads came from: the path of an archive on disk, or `remote`."""
    source_size: int
    """Bytes of the archive."""
    source_sha256: str
    """Checksum of an archive on disk, else empty."""
    source_mtime: float
    """When an archive on disk was last changed, else 0."""
    validated: bool
    """Whether vdb-validate found the archive consistent with its own checksums."""
    tools: Mapping[str, str]
    argv: tuple[str, ...]
    slices: int
    """Ranges of spots that were decoded on their own; their sketches add up exactly."""
    engine: str
    started_at: float
    seconds: float
    host: str
    decoders: tuple[str, ...] = ()
    """What decoded the slices; whichever it was, the reads are those of `argv`."""

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; keys that a later version added are passed over."""
        known = {key: data[key] for key in cls.__dataclass_fields__ if key in data or key not in LATER}
        known["sketches"] = tuple(SketchSummary(**sketch) for sketch in data["sketches"])
        known["argv"] = tuple(data["argv"])
        known["decoders"] = tuple(data.get("decoders", ()))
        return cls(**known)


@dataclass(frozen=True)
class SignatureRecord:
    """An entry of the catalog."""

    name: Name
    profile: str
    digest: str
    trust: Trust
    path: str
    """Of the signature file, relative to the local store's root; empty if it is in the bucket only."""
    size: int
    """Bytes of the signature file."""
    created_at: float
    provenance: Provenance = field(repr=False)
    remote: str = ""
    """Address of the object in a bucket, once it was seen to stand there; else empty."""

    @classmethod
    def from_row(cls, row: Mapping[str, Any], provenance: Mapping[str, Any]) -> "SignatureRecord":
        """The record of a row of `signatures`."""
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
        )
