"""Signatures between the local store and the bucket, one run at a time: push, pull, check.

Each may be broken off at any moment and begun again: what is under a final name is whole, and is not sent twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from wort_cli.errors import NotASignature, WortError
from wort_cli.model.accession import Accession
from wort_cli.model.failure import Reason
from wort_cli.model.job_result import Published
from wort_cli.model.signature_file import read_signature
from wort_cli.stores.bucket_layout import Content, conflict, described_at
from wort_cli.stores.local import LocalStore
from wort_cli.stores.object_store import StoredObject, StoreTrouble
from wort_cli.stores.shared import Outcome, SharedStore
from wort_cli.stores.side_by_side import Sides
from wort_cli.system.atomic_files import atomic_file


class Problem(StrEnum):
    """How the two stores may differ in a run."""

    NOT_THERE = "not-there"
    NOT_HERE = "not-here"
    EMPTY = "empty"
    UNREADABLE = "unreadable"
    UNREADABLE_HERE = "unreadable-here"
    OTHER_PROFILE = "other-profile"
    DIFFERENT = "different"
    NO_PROVENANCE = "no-provenance"
    ORPHANED_PROVENANCE = "orphaned-provenance"
    PENDING_UPLOAD = "pending-upload"


DAMAGED = frozenset({Problem.EMPTY, Problem.UNREADABLE})
"""What computing the run again mends."""


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it should be; `name` is a run, or the key of an upload."""

    name: str
    problem: Problem
    detail: str


def is_shared(sides: Sides) -> bool:
    """Whether, by the listings alone, a run that is here is in the bucket too."""
    if sides.here is None or sides.there is None or sides.beside is None:
        return False
    return 0 < sides.there.size == sides.here.stat().st_size


def push(sides: Sides, local: LocalStore, shared: SharedStore) -> Outcome:
    """See that a run that is here is in the bucket; StoreTrouble if something else is, or if ours is not right."""
    name, path = sides.name, local.path(sides.name)
    again = f"`wort compute --force {name}` makes it again"
    try:
        provenance = local.provenance(name)
    except (OSError, ValueError) as error:
        raise StoreTrouble(Reason.CONFLICT, f"{path}: its provenance can't be read: {error}", again) from None
    document = read_signature(path)
    if (document.name, document.digest) != (name, provenance.digest):
        raise StoreTrouble(Reason.CONFLICT, f"{path} is not what its provenance says", again)
    if sides.there is None:
        return shared.publish_new(path, provenance, name)
    return shared.publish(path, provenance, name)


def pull(name: Accession, local: LocalStore, shared: SharedStore, profile: str, digest: str = "") -> Published:
    """Bring a signature here; StoreTrouble if it is not of that profile and, where one is known, of that digest."""
    with atomic_file(local.path(name)) as file:
        there = shared.fetch(name, file)
        if there is None:
            raise StoreTrouble(Reason.NOT_FOUND, f"{shared.url(name)} is not there", f"`wort compute {name}` makes it")
        file.flush()
        described = described_at(Path(file.name), name)
        if described is None or described.profile != profile:
            raise conflict(shared.url(name), described, name, profile)
        for expected in (digest, there.metadata.get("digest", "")):
            if expected not in ("", described.digest):
                raise conflict(shared.url(name), described, name, profile, expected)
        provenance, trust = shared.known(name, described)
        local.put_provenance(provenance, name)
    return Published(local.key(name), there.size, provenance, shared.url(name), trust)


def check(sides: Sides, shared: SharedStore, profile: str, *, quick: bool) -> Iterator[Difference]:
    """How the stores differ in a run: `quick` by the listings alone, else by content."""
    name, here, there = sides.name, sides.here, sides.there
    if there is None:
        if here is not None:
            yield Difference(name, Problem.NOT_THERE, f"it is here only: `wort sync push {name}`")
        if sides.beside is not None:
            yield Difference(name, Problem.ORPHANED_PROVENANCE, "in the bucket is a provenance without its signature")
        return
    if here is None:
        yield Difference(name, Problem.NOT_HERE, f"it is in the bucket only: `wort sync pull {name}`")
    elif sides.beside is None:
        yield Difference(name, Problem.NO_PROVENANCE, f"the bucket has none beside it: `wort sync push {name}`")
    if there.size == 0:
        yield Difference(name, Problem.EMPTY, "the object has no bytes")
    elif not quick:
        yield from check_content(name, here, there, shared, profile)


def check_content(
    name: Accession, here: Path | None, there: StoredObject, shared: SharedStore, profile: str
) -> Iterator[Difference]:
    """What is wrong with the content of a run's signature, there or here."""
    ours = described_at(here, name) if here else None
    if here is not None and ours is None:
        yield Difference(name, Problem.UNREADABLE_HERE, f"{here} is not the signature of this run")
    same_bytes = ours is not None and here is not None and is_same_file(here, there)
    theirs = ours if same_bytes else shared.examine(name, there)
    if theirs is None:
        yield Difference(name, Problem.UNREADABLE, "the object is not the signature of this run")
    elif theirs.profile != profile:
        yield Difference(name, Problem.OTHER_PROFILE, f"it is of {theirs.profile or 'an unknown recipe'}")
    elif ours is not None and ours.digest != theirs.digest:
        yield Difference(name, Problem.DIFFERENT, f"digest {theirs.digest} there, {ours.digest} here")


def is_same_file(path: Path, there: StoredObject) -> bool:
    """Whether a file is, byte for byte, that object."""
    return path.stat().st_size == there.size and Content.of(path).md5 == there.etag


def is_of_one_run(error: WortError) -> bool:
    """Whether a trouble is with one run, so that the others can go on; else all of them would meet it."""
    if isinstance(error, StoreTrouble):
        return error.reason not in (Reason.STORAGE_DOWN, Reason.STORAGE_DENIED)
    return isinstance(error, NotASignature)
