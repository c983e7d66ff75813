"""What a signature in a bucket is, without asking one: its keys, its headers, what a file or an object holds.  Values.

`shared.py` is what asks.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from wort_cli.errors import NotASignature
from wort_cli.model.accession import Accession
from wort_cli.model.failure import Reason
from wort_cli.model.provenance import Provenance, SketchSummary
from wort_cli.model.signature_file import SignatureDocument, profile_of, read_signature
from wort_cli.stores.object_store import Headers, StoreError

BLOCK = 1 << 20
TOOLS = ("wort", "sourmash", "fastq-dump")
"""Whose versions stand in the metadata of a signature."""


@dataclass(frozen=True)
class SignatureIdentity:
    """What an object holds: its profile ('' if that is none of ours), and its digest."""

    profile: str
    digest: str
    document: SignatureDocument | None = None
    """The signature, if it had to be read."""


@dataclass(frozen=True)
class Checksums:
    """The bytes of a sealed signature, in numbers."""

    size: int
    sha256: str
    md5: str

    @classmethod
    def of(cls, path: Path) -> "Checksums":
        """Of a file, which is read once."""
        sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                sha256.update(block)
                md5.update(block)
                size += len(block)
        return cls(size, sha256.hexdigest(), md5.hexdigest())


def signature_key(name: Accession) -> str:
    """The key of a signature, as the public service has it."""
    return f"sigs/{name}.sig"


def provenance_key(name: Accession) -> str:
    """The key of the document beside a signature."""
    return f"prov/{name}.json"


def headers_of(provenance: Provenance, content: Checksums) -> Headers:
    """The headers of a signature, with what a reader need not open it for."""
    tools = ", ".join(f"{tool} {provenance.tools[tool]}" for tool in TOOLS if tool in provenance.tools)
    metadata = {
        "name": provenance.name,
        "profile": provenance.profile,
        "digest": provenance.digest,
        "sha256": content.sha256,
        "tools": tools,
    }
    return Headers("application/json", "gzip", metadata)


def identify_file(path: Path, name: Accession) -> SignatureIdentity | None:
    """What a file holds; None if it is not the signature of that name."""
    try:
        document = read_signature(path)
    except NotASignature:
        return None
    return SignatureIdentity(profile_of(document), document.digest, document) if document.name == name else None


def conflict_error(
    url: str, found: SignatureIdentity | None, name: Accession, profile: str, digest: str = ""
) -> StoreError:
    """What is there is not what was to be found."""
    if found is None:
        return StoreError(Reason.CONFLICT, f"{url} is not a signature of {name}")
    if found.profile != profile:
        return StoreError(Reason.PARAMS_MISMATCH, f"{url} is of {found.profile or 'an unknown recipe'}, not {profile}")
    return StoreError(Reason.CONFLICT, f"{url} has digest {found.digest}, this one {digest}")


def minimal_provenance(name: Accession, identity: SignatureIdentity, origin: str) -> Provenance:
    """What can be said of a signature whose provenance nobody wrote down: what is in it, and where it was found."""
    document = identity.document
    sketches = () if document is None else tuple(
        SketchSummary(
            s.ksize, len(s.hashes), 0 if s.abundances is None else int(s.abundances.sum()), s.md5 or s.md5sum()
        )
        for s in document.sketches
    )  # fmt: skip
    return Provenance(
        name=name, profile=identity.profile, digest=identity.digest, sketches=sketches, spots=0, spots_passed=0,
        reads=0, bases=0, source=origin, source_size=0, source_sha256="", source_mtime=0.0, validated=False, tools={},
        argv=(), slices=0, engine="", started_at=0.0, seconds=0.0, host="",
    )  # fmt: skip
