"""Accepts a submitted signature: copy it, check it in the sandbox, look up its run, store it, record it.

The file is on the disk before the ledger records it.  If the process is killed in between, the file has no record; it
is replaced when the same signature is submitted again.
"""

import getpass
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from wort_cli.errors import ExitCode, StorageProblem, UsageError, WortError, shown
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession, AssemblyAccession, LocalName, Name, public_accession
from wort_cli.model.profile import SRA_V1, Profile, profile_for
from wort_cli.model.provenance import Trust
from wort_cli.model.submission import SourceCheck, Submission
from wort_cli.pipeline.projects.run_lookup import is_fresh, look_up
from wort_cli.reading.checks import Check
from wort_cli.reading.joined import write_joined
from wort_cli.reading.refusal import LimitExceeded, Refusal, SubmissionRefused
from wort_cli.reading.sandbox import Accepted, TemporaryCopy, check_in_child, copy_stream, open_input, temporary_copy
from wort_cli.reading.strict import check_signature
from wort_cli.settings import Settings
from wort_cli.stores.recorded import sha256_of
from wort_cli.stores.submitted import SubmittedStore
from wort_cli.submission.public_url import Client, Unreachable

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
MAX_SUBMITTER_LENGTH = 100
SHORT_DIGEST_LENGTH = 16
"""Characters of the digest that name a submission without an accession."""


class SourceUnreachable(WortError):
    """A URL did not answer; nothing was stored."""

    exit_code = ExitCode.TEMPORARY


@dataclass(frozen=True)
class Ways:
    """The ways in which a submitter can state the source of a signature, for hints."""

    state: str
    """A way to state the run, or the address of the data."""
    correct: str
    """A way to state another run."""


BY_OPTIONS = Ways(
    "give the run with --accession, or the address of the data with --url",
    "leave --accession away if the name is right",
)


@dataclass(frozen=True)
class Claims:
    """The statements of the submitter about a signature."""

    submitter: str
    name: Name | None = None
    """The accession of the run or the assembly; or a name under which others know the data."""
    url: str = ""
    ways: Ways = BY_OPTIONS


def parse_submitter(text: str) -> str:
    """Return the submitter's name: `text`, or by default the system's user name.  Raises UsageError."""
    if not text:
        try:
            text = getpass.getuser()
        except (KeyError, OSError):  # in a container the user may have no name
            text = f"user {os.getuid()}"
    if not text.isprintable() or len(text) > MAX_SUBMITTER_LENGTH:
        raise UsageError(f"--as {shown(text)} is not plain text of at most {MAX_SUBMITTER_LENGTH} characters")
    return text


def submit_signature(
    origin: str,
    claims: Claims,
    settings: Settings,
    ledger: Ledger,
    profile: Profile = SRA_V1,
    shown_as: str = "",
    report: Callable[[Check], None] = lambda check: None,
) -> Submission:
    """Accept the signature in a file, at a URL, or on standard input (`-`); return its submission.

    shown_as: its origin as it is recorded, instead of a path that nobody knows
    report: called with the check that comes next

    If the same signature was submitted before, that submission is returned.  Raises SubmissionRefused with the first
    fault, SourceUnreachable or StorageProblem; then nothing was stored.
    """
    try:
        with temporary_copy(settings) as copy:
            report(Check.RECEIVED)
            copy_content(origin, copy, settings)
            report(Check.LIMITS)
            accepted = check_in_child(copy, settings, profile)
            with joined(copy, accepted, settings, profile) as (file, accepted):
                report(Check.NAME)
                known_as = shown_as or printable_origin(origin)
                submission = make_submission(known_as, accepted, claims, settings, ledger, report)
                report(Check.STORED)
                store = SubmittedStore(settings.store_dir)
                ledger.profiles.use(profile)
                ledger.submissions.add(submission, lambda: store.put(file, submission.digest, submission.name))
    except Refusal as refusal:
        raise SubmissionRefused(shown_as or origin, refusal) from None
    except Unreachable as error:
        raise SourceUnreachable(f"{error}; nothing was stored", "try again later") from None
    except OSError as error:
        raise StorageProblem(
            f"the submitted signature cannot be stored: {error.strerror}", "see `wort doctor`"
        ) from error
    recorded = ledger.submissions.get(submission.digest, submission.name)
    return recorded or submission


@contextmanager
def joined(
    copy: TemporaryCopy, accepted: Accepted, settings: Settings, profile: Profile
) -> Iterator[tuple[IO[bytes], Accepted]]:
    """Yield a file with the signature as one document, and its facts: the copy itself, unless it has several."""
    if not accepted.is_joined:
        yield copy.file, accepted
        return
    copy.file.seek(0)
    # The reader in the sandbox has accepted it, so its size is within the limits.
    document = check_signature(copy.file, max_unpacked=settings.submit_unpacked, profile=profile).document
    with temporary_copy(settings) as one:
        write_joined(document, one.file)
        size = one.file.tell()
        one.file.seek(0)
        yield one.file, replace(accepted, size=size, sha256=sha256_of(one.file))


def copy_content(origin: str, copy: TemporaryCopy, settings: Settings) -> None:
    """Copy the content of a file, a URL, or standard input."""
    if origin == "-":
        copy_stream(sys.stdin.buffer, copy)
    elif URL.match(origin):
        with refusing(Check.RECEIVED):
            Client(settings.url_timeout).fetch(origin, copy.write)
    else:
        with open_input(Path(origin)) as file:
            copy_stream(file, copy)


@contextmanager
def refusing(check: Check) -> Iterator[None]:
    """Let what refuses a URL say which check has failed."""
    try:
        yield
    except LimitExceeded:
        raise
    except Refusal as refusal:
        refusal.check = check
        raise


def make_submission(
    origin: str,
    accepted: Accepted,
    claims: Claims,
    settings: Settings,
    ledger: Ledger,
    report: Callable[[Check], None] = lambda check: None,
) -> Submission:
    """Return the submission of a valid signature; raise Refusal if its data are not known, or not public."""
    known_as = name_of(accepted, claims)
    url = claims.url or (accepted.filename if URL.match(accepted.filename) else "")
    if known_as is None and not url:
        raise Refusal(
            "its name is not an accession, so the data it was made from are not known",
            f"name {shown(accepted.name)}",
            f"{claims.ways.state}; `sourmash sketch dna --name SRR139146` puts the accession into the signature",
            Check.NAME,
        )
    report(Check.PUBLIC)
    check, note = SourceCheck.NOT_CHECKED, ""
    if isinstance(known_as, Accession):
        check, note = check_run_is_public(known_as, settings, ledger)
    if url:
        try:
            with refusing(Check.PUBLIC):
                answer = f"{Client(settings.url_timeout).check(url).url} answers"
            if known_as is None:  # otherwise the lookup of the run decides
                check = SourceCheck.PUBLIC
        except Unreachable as error:
            if claims.url or known_as is None:
                raise
            answer = str(error)
        note = "; ".join(filter(None, (note, answer)))
    name: Name = known_as or LocalName(accepted.digest[:SHORT_DIGEST_LENGTH])
    return Submission(
        name=name,
        profile=profile_for(name, accepted.profile),
        digest=accepted.digest,
        trust=Trust.UNVERIFIED,
        path=SubmittedStore(settings.store_dir).key(accepted.digest, name),
        size=accepted.size,
        sha256=accepted.sha256,
        submitter=claims.submitter,
        submitted_at=time.time(),
        origin=origin,
        url=url,
        source_check=check,
        source_note=note,
    )


def name_of(accepted: Accepted, claims: Claims) -> Name | None:
    """Return the accession in the signature's name, or the claimed name; raise Refusal if the two differ."""
    first_word = accepted.name.split(" ")[0]
    named = public_accession(first_word)
    if named is not None and claims.name is not None and named != claims.name:
        raise Refusal(
            f"its name is {named}, but it was submitted as the signature of {claims.name}",
            hint=f"{claims.ways.correct}; otherwise make the signature with the right `--name` of sourmash",
            check=Check.NAME,
        )
    return named or claims.name


def check_run_is_public(accession: Accession, settings: Settings, ledger: Ledger) -> tuple[SourceCheck, str]:
    """Return whether a run is public, and who confirmed it; raise Refusal if ENA and NCBI do not know the run.

    A recent answer is read from the ledger.
    """
    if isinstance(accession, AssemblyAccession):
        return SourceCheck.NOT_CHECKED, "whether NCBI has the assembly, its verification finds out"
    lookup = ledger.submissions.lookup(accession)
    if lookup is None or not is_fresh(lookup, time.time()):
        answer = look_up(accession, settings)
        if isinstance(answer, str):
            return SourceCheck.NOT_CHECKED, answer
        lookup = answer
        ledger.submissions.record_lookup(accession, lookup)
    if not lookup.known:
        raise Refusal(
            lookup.note, f"accession {accession}", "check the accession; the run may not be public yet", Check.PUBLIC
        )
    return SourceCheck.PUBLIC, lookup.note


def printable_origin(origin: str) -> str:
    """Return where a signature came from, as text that every encoding can hold."""
    if origin == "-":
        return "standard input"
    return origin if URL.match(origin) else str(Path(origin).absolute()).encode("utf-8", "backslashreplace").decode()
