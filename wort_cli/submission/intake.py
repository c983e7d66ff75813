"""From what was handed in to a submission: taken in, checked apart, asked about, kept, recorded.  In this order.

The bytes are on the disk before their record stands; a file without a record, of a process that was killed in between,
is replaced when the same is handed in again.
"""

import getpass
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from wort_cli.errors import ExitCode, StorageProblem, UsageError, WortError, shown
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import RUN, Accession, LocalName, Name
from wort_cli.model.provenance import Trust
from wort_cli.model.submission import SourceCheck, Submission
from wort_cli.settings import Settings
from wort_cli.stores.submitted import SubmittedStore
from wort_cli.submission.public_url import Client, Unreachable
from wort_cli.submission.refusal import Refusal, SubmissionRefused
from wort_cli.submission.run_lookup import is_fresh, look_up
from wort_cli.submission.sandbox import Accepted, TemporaryCopy, check_in_child, copy_stream, open_input, temporary_copy

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
LONGEST_SUBMITTER = 100
SHORT_DIGEST = 16
"""Letters of a digest that name a submission of no run."""


class SourceUnreachable(WortError):
    """A URL that did not answer; nothing was kept."""

    exit_code = ExitCode.TEMPORARY


@dataclass(frozen=True)
class Claims:
    """What somebody says of what they hand in."""

    submitter: str
    accession: Accession | None = None
    url: str = ""


def parse_submitter(text: str) -> str:
    """Who hands in: `text`, or else the user of the system.  UsageError if that is no plain short text."""
    if not text:
        try:
            text = getpass.getuser()
        except (KeyError, OSError):  # in a container there may be no such user
            text = f"user {os.getuid()}"
    if not text.isprintable() or len(text) > LONGEST_SUBMITTER:
        raise UsageError(f"--as {shown(text)} is no plain text of at most {LONGEST_SUBMITTER} characters")
    return text


def submit_signature(word: str, claims: Claims, settings: Settings, ledger: Ledger) -> Submission:
    """Accept the signature in a file, at a URL, or on standard input (`-`); return its submission, which may be older.

    SubmissionRefused names the first thing that is wrong with it; then nothing was kept.
    """
    try:
        with temporary_copy(settings) as copy:
            copy_input(word, copy, settings)
            accepted = check_in_child(copy, settings)
            submission = make_submission(word, accepted, claims, settings, ledger)
            store = SubmittedStore(settings.store_dir)
            ledger.submissions.add(submission, lambda: store.put(copy.file, submission.digest, submission.name))
    except Refusal as refusal:
        raise SubmissionRefused(word, refusal) from None
    except Unreachable as error:
        raise SourceUnreachable(f"{error}; nothing was kept", "try again later") from None
    except OSError as error:
        raise StorageProblem(f"what was handed in can't be kept: {error.strerror}", "see `wort doctor`") from error
    kept = ledger.submissions.get(submission.digest, submission.name)
    return kept or submission


def copy_input(word: str, copy: TemporaryCopy, settings: Settings) -> None:
    """Take in what was named."""
    if word == "-":
        copy_stream(sys.stdin.buffer, copy)
    elif URL.match(word):
        Client(settings.url_timeout).fetch(word, copy.write)
    else:
        with open_input(Path(word)) as file:
            copy_stream(file, copy)


def make_submission(word: str, accepted: Accepted, claims: Claims, settings: Settings, ledger: Ledger) -> Submission:
    """What is known of a signature that is all right; Refusal if it is of nothing, or of nothing public."""
    accession = accession_of(accepted, claims)
    url = claims.url or (accepted.filename if URL.match(accepted.filename) else "")
    if accession is None and not url:
        raise Refusal(
            "its name is no accession, so that nobody can know what it is of",
            f"name {shown(accepted.name)}",
            "say so with --accession, or with --url where the data are; `sourmash sketch --name SRR139146` names it",
        )
    check, note = SourceCheck.NOT_CHECKED, ""
    if accession is not None:
        check, note = check_run_is_public(accession, settings, ledger)
    if url:
        try:
            answer = f"{Client(settings.url_timeout).check(url).url} answers"
            if accession is None:  # what is of a run is public if the run is, whatever else is at some URL
                check = SourceCheck.PUBLIC
        except Unreachable as error:
            if claims.url or accession is None:
                raise
            answer = str(error)
        note = "; ".join(filter(None, (note, answer)))
    name: Name = accession or LocalName(accepted.digest[:SHORT_DIGEST])
    return Submission(
        name=name,
        profile=accepted.profile,
        digest=accepted.digest,
        trust=Trust.UNVERIFIED,
        path=SubmittedStore(settings.store_dir).key(accepted.digest, name),
        size=accepted.size,
        sha256=accepted.sha256,
        submitter=claims.submitter,
        submitted_at=time.time(),
        origin=origin_of(word),
        url=url,
        source_check=check,
        source_note=note,
    )


def accession_of(accepted: Accepted, claims: Claims) -> Accession | None:
    """The run that it is of: the first word of its name, or what was said; Refusal if the two differ."""
    first = accepted.name.split(" ")[0]
    named = Accession(first) if RUN.fullmatch(first) else None
    if named is not None and claims.accession is not None and named != claims.accession:
        raise Refusal(f"it is named {named}, but was handed in as {claims.accession}", hint="one of the two is wrong")
    return named or claims.accession


def check_run_is_public(accession: Accession, settings: Settings, ledger: Ledger) -> tuple[SourceCheck, str]:
    """Whether a run is public, by a fresh answer of the archives; Refusal if they say that there is no such run."""
    lookup = ledger.submissions.lookup(accession)
    if lookup is None or not is_fresh(lookup, time.time()):
        answer = look_up(accession, settings)
        if isinstance(answer, str):
            return SourceCheck.NOT_CHECKED, answer
        lookup = answer
        ledger.submissions.record_lookup(accession, lookup)
    if not lookup.known:
        raise Refusal(lookup.note, f"accession {accession}", "check the accession; a run may not be published yet")
    return SourceCheck.PUBLIC, lookup.note


def origin_of(word: str) -> str:
    """Where it came from, as it may be shown."""
    if word == "-":
        return "standard input"
    return word if URL.match(word) else str(Path(word).absolute()).encode("utf-8", "backslashreplace").decode()
