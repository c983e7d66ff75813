"""The layout of the bucket: the keys, headers and metadata of a signature, and the errors for other content.

Nothing here sends a request; shared.py does.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wort_cli.model.accession import Accession, Name
from wort_cli.model.failure import Reason
from wort_cli.model.provenance import ESTABLISHED, Provenance, Trust
from wort_cli.reading.facts import SignatureFacts
from wort_cli.stores.object_store import Headers, StoreError

BLOCK = 1 << 20
MANIFEST_KEY = "SOURMASH-MANIFEST.parquet"
"""The key of the table of all sketches in the bucket."""
TOOLS = ("wort", "sourmash", "fastq-dump", "libncbi-vdb")
"""The tools whose versions are in the metadata of a signature."""


@dataclass(frozen=True)
class Checksums:
    """The size and the checksums of a file."""

    size: int
    sha256: str
    md5: str

    @classmethod
    def of(cls, path: Path) -> "Checksums":
        """Compute the checksums of a file, which is read once."""
        sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                sha256.update(block)
                md5.update(block)
                size += len(block)
        return cls(size, sha256.hexdigest(), md5.hexdigest())


def signature_key(name: Accession) -> str:
    """Return the key of a signature; it is the key that the public wort service uses."""
    return f"sigs/{name}.sig"


def provenance_key(name: Accession) -> str:
    """Return the key of a signature's provenance."""
    return f"prov/{name}.json"


def headers_of(provenance: Provenance, checksums: Checksums, trust: Trust) -> Headers:
    """Return the headers of a signature; the metadata say what it is, for programs that do not read it."""
    tools = ", ".join(f"{tool} {provenance.tools[tool]}" for tool in TOOLS if tool in provenance.tools)
    metadata = {
        "name": provenance.name,
        "profile": provenance.profile,
        "digest": provenance.digest,
        "sha256": checksums.sha256,
        "tools": tools,
        "trust": str(trust),
        **{key: value for key in ("format", "proved_by") if (value := getattr(provenance, key))},
    }
    return Headers("application/json", "gzip", metadata, checksums.md5)


def trust_in(metadata: Mapping[str, str]) -> Trust:
    """Return the trust in a signature from a bucket: published, or less if its publisher says so."""
    claimed = metadata.get("trust", "")
    return Trust.PUBLISHED if claimed in ("", Trust.PUBLISHED, *ESTABLISHED) else Trust.UNVERIFIED


def conflict_error(
    url: str, found: SignatureFacts | None, name: Accession, profile: str, digest: str = ""
) -> StoreError:
    """Return the error for a bucket with another object than the expected signature."""
    if found is None:
        return StoreError(Reason.CONFLICT, f"{url} is not a signature of {name}")
    if found.profile != profile:
        return StoreError(Reason.PARAMS_MISMATCH, f"{url} has profile {found.profile or 'unknown'}, not {profile}")
    return StoreError(Reason.CONFLICT, f"{url} has digest {found.digest}, not {digest}")


def minimal_provenance(name: Name, facts: SignatureFacts, origin: str) -> Provenance:
    """Return the provenance of a signature that has none: only its content and its origin are known."""
    return Provenance(
        name=name, profile=facts.profile, digest=facts.digest, sketches=tuple(s.summary() for s in facts.sketches),
        spots=0, spots_passed=0, reads=0, bases=0, source=origin, source_size=0, source_sha256="", source_mtime=0.0,
        validated=False, tools={}, argv=(), slices=0, engine="", started_at=0.0, seconds=0.0, host="",
        title=facts.title,
    )  # fmt: skip
