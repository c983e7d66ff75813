"""Transfers and compares the signature of one run between the local store and the bucket: push, pull, compare.

Each is idempotent and may be interrupted at any time: a file or object under its final name is complete, and is not
sent again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from wort_cli.errors import WortError, shown
from wort_cli.model.accession import Accession
from wort_cli.model.failure import Reason
from wort_cli.model.job_result import Published
from wort_cli.model.profile import profile_for, profile_option
from wort_cli.model.provenance import ESTABLISHED, Recorded, SignatureRecord, Trust
from wort_cli.reading.facts import SignatureFacts
from wort_cli.reading.refusal import Refusal
from wort_cli.reading.signatures import read_facts
from wort_cli.stores.bucket_layout import Checksums, conflict_error, trust_in
from wort_cli.stores.local import LocalStore
from wort_cli.stores.object_store import StoredObject, StoreError
from wort_cli.stores.recorded import is_recorded_content, is_recorded_file
from wort_cli.stores.run_copies import RunCopies
from wort_cli.stores.shared import FoundSignature, Outcome, SharedStore


class Problem(StrEnum):
    """A difference between the stores for a run.  Here is the local store, there is the bucket."""

    NOT_THERE = "not-there"
    NOT_HERE = "not-here"
    EMPTY = "empty"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too-large"
    UNREADABLE_HERE = "unreadable-here"
    OTHER_PROFILE = "other-profile"
    DIFFERENT = "different"
    NO_PROVENANCE = "no-provenance"
    ORPHANED_PROVENANCE = "orphaned-provenance"
    PENDING_UPLOAD = "pending-upload"


DAMAGED = frozenset({Problem.EMPTY, Problem.UNREADABLE})
"""Problems that computing the run again repairs."""


@dataclass(frozen=True)
class Difference:
    """A difference between the stores; `name` is a run, or the key of an unfinished upload."""

    name: str
    problem: Problem
    detail: str


def is_in_bucket(copies: RunCopies) -> bool:
    """Whether the listings show a local run in the bucket, with the same size and with provenance."""
    if copies.local_path is None or copies.shared_object is None or copies.provenance_object is None:
        return False
    return 0 < copies.shared_object.size == copies.local_path.stat().st_size


def push(
    copies: RunCopies,
    record: SignatureRecord | None,
    local: LocalStore,
    shared: SharedStore,
    *,
    publish_unproved: bool = False,
) -> Outcome:
    """Publish the local signature of a run, which `record` is in the catalog.

    Raises StoreError unless it was computed or verified here, or if its file or the bucket has another one.
    """
    name, path = copies.name, local.path(copies.name)
    option = profile_option(shared.profile.name)
    hint = f"`wort compute --force {name}{option}` computes it again"
    if record is None:
        raise StoreError(Reason.CONFLICT, f"{path} is not in the catalog, so it is not published", hint)
    allowed = ESTABLISHED | ({Trust.UNPROVED} if publish_unproved else set())
    if record.trust not in allowed:
        sentence = f"the signature of {name} is {record.trust}, so it is not published"
        more = (
            "set publish_unproved = true"
            if record.trust is Trust.UNPROVED
            else f"`wort verify {name}{option}` may prove it"
        )
        raise StoreError(Reason.CONFLICT, sentence, f"{hint}; or {more}")
    checksums = Checksums.of(path)  # whatever is put must have them, so that nobody changes the file meanwhile
    with path.open("rb") as file:
        is_recorded = is_recorded_file(file, name, record.recorded, shared.limits)
    if not is_recorded or record.recorded.sha256 not in ("", checksums.sha256):
        raise StoreError(Reason.CONFLICT, f"{path} is not the recorded signature", hint)
    if copies.shared_object is None:
        return shared.publish_new(path, record.provenance, name, record.trust, checksums)
    return shared.publish(path, record.provenance, name, record.trust, checksums=checksums)


def pull(name: Accession, local: LocalStore, shared: SharedStore, recorded: Recorded | None = None) -> Published:
    """Download a signature into the local store.

    Raises StoreError unless it is a signature of that run and profile: the one that the catalog has `recorded`, and
    none that was refuted.
    """
    with local.writing(local.path(name)) as file:
        found = shared.fetch(name, file)
        if found is None:
            hint = f"`wort compute {name}{profile_option(shared.profile.name)}` computes it"
            raise StoreError(Reason.NOT_FOUND, f"{shared.url(name)} does not exist, or is empty", hint)
        facts = accepted_facts(name, found, shared, recorded)
        provenance = shared.provenance_of(name, facts)
        local.put_provenance(provenance, name)
    trust = trust_in(found.stored.metadata)
    return Published(local.key(name), found.stored.size, provenance, shared.url(name), trust, found.sha256)


def accepted_facts(
    name: Accession, found: FoundSignature, shared: SharedStore, recorded: Recorded | None
) -> SignatureFacts:
    """Return the facts of a signature in a bucket; raise StoreError if it must not be used (see `pull`)."""
    url, facts, profile = shared.url(name), found.facts, profile_for(name, shared.profile.name)
    if facts is None:
        raise StoreError(Reason.CONFLICT, f"{url} is not a signature of {name}: {found.why}")
    claimed = found.stored.metadata.get("digest", "")
    if facts.profile != profile or claimed not in ("", facts.digest):
        raise conflict_error(url, facts, name, profile, claimed)
    if recorded is None:
        return facts
    if recorded.trust is Trust.MISMATCH and recorded.digest == facts.digest:
        raise StoreError(Reason.CONFLICT, f"{url} was refuted: its digest is {facts.digest}")
    if recorded.trust is not Trust.MISMATCH and not is_recorded_content(facts, found.sha256, recorded):
        raise conflict_error(url, facts, name, profile, recorded.digest)
    return facts


def compare(copies: RunCopies, shared: SharedStore, *, quick: bool) -> Iterator[Difference]:
    """Yield the differences of a run: `quick` by the listings alone, otherwise by content."""
    name, here, there = copies.name, copies.local_path, copies.shared_object
    public = shared.objects.target.public
    if there is None:
        if here is not None:
            hint = "" if public else f": `wort sync push {name}`"
            yield Difference(name, Problem.NOT_THERE, f"only the local store has it{hint}")
        if copies.provenance_object is not None:
            yield Difference(name, Problem.ORPHANED_PROVENANCE, "the bucket has its provenance without the signature")
        return
    if here is None:
        yield Difference(name, Problem.NOT_HERE, f"only the bucket has it: `wort sync pull {name}`")
    elif copies.provenance_object is None and not public:
        yield Difference(name, Problem.NO_PROVENANCE, f"the bucket has no provenance of it: `wort sync push {name}`")
    if there.size == 0:
        yield Difference(name, Problem.EMPTY, "the object has no bytes")
    elif not quick:
        yield from compare_content(name, here, there, shared)


def compare_content(
    name: Accession, here: Path | None, there: StoredObject, shared: SharedStore
) -> Iterator[Difference]:
    """Yield the differences in the content of a run's signatures."""
    ours = facts_of_file(here, name, shared) if here else None
    if isinstance(ours, str):
        yield Difference(name, Problem.UNREADABLE_HERE, f"{here} is not the signature of this run: {ours}")
        ours = None
    same_bytes = ours is not None and here is not None and has_same_bytes(here, there)
    found = None if same_bytes else shared.read(name)
    theirs = ours if same_bytes else found.facts if found else None
    if theirs is None:
        why = f": {found.why}" if found else ""
        problem = Problem.TOO_LARGE if found and found.limited else Problem.UNREADABLE
        what = "may be" if problem is Problem.TOO_LARGE else "is not"
        yield Difference(name, problem, f"the object {what} the signature of this run{why}")
    elif theirs.profile != profile_for(name, shared.profile.name):
        yield Difference(name, Problem.OTHER_PROFILE, f"its profile is {theirs.profile or 'unknown'}")
    elif ours is not None and ours.digest != theirs.digest:
        yield Difference(name, Problem.DIFFERENT, f"digest {theirs.digest} there, {ours.digest} here")


def facts_of_file(path: Path, name: Accession, shared: SharedStore) -> SignatureFacts | str:
    """Return the facts of a file of the local store; if it is not the signature of that run, return why."""
    try:
        with path.open("rb") as file:
            facts = read_facts(file, shared.limits, shared.profile)
    except Refusal as refusal:
        return refusal.why
    return facts if facts.name == name else f"its name is {shown(facts.name)}"


def has_same_bytes(path: Path, there: StoredObject) -> bool:
    """Whether a file has the same bytes as an object."""
    return path.stat().st_size == there.size and Checksums.of(path).md5 == there.etag


def affects_one_run(error: WortError) -> bool:
    """Whether an error concerns one run only; any other error would stop every run."""
    return isinstance(error, StoreError) and error.reason not in (Reason.STORAGE_DOWN, Reason.STORAGE_DENIED)
