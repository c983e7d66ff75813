"""A home of wort, as Python programs use it: its jobs and its signatures."""

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from wort_cli.api.enqueueing import enqueue, jobs_of
from wort_cli.api.signature_finder import SignatureFinder
from wort_cli.api.sources import Input, sources_of
from wort_cli.api.waiting import FirstClaim, run_here, wait_until_ended
from wort_cli.errors import UsageError
from wort_cli.ledger.catalog import ListedSignature
from wort_cli.ledger.jobs import Enqueued
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import parse_name
from wort_cli.model.job import Job, JobRequest
from wort_cli.model.profile import Profile
from wort_cli.model.provenance import Trust
from wort_cli.settings import Settings, load_settings

if TYPE_CHECKING:
    from sourmash import SourmashSignature


def open_home(home: str | os.PathLike[str] | None = None, profile: str = "") -> "Home":
    """Open a home; make its directories if they are missing.

    home: its directory; by default that of WORT_HOME, else the one that the commands use
    profile: the name of the profile of all signatures; by default the setting `profile`

    The settings are those of the environment and of the home's config.toml.  Raises SettingsError, NotPrivate,
    StorageProblem, or UsageError if there is no such profile.
    """
    environ = dict(os.environ) if home is None else {**os.environ, "WORT_HOME": os.fspath(home)}
    settings = load_settings(environ)
    settings.make_directories()
    ledger = Ledger(settings.ledger_file)
    return Home(settings, ledger, ledger.profiles.named(profile or settings.profile, settings.profiles))


class Home:
    """A home of wort.  It belongs to the thread that opened it; each thread opens its own."""

    def __init__(self, settings: Settings, ledger: Ledger, profile: Profile) -> None:
        self.settings = settings
        self.ledger = ledger
        self._profile = profile.name
        self._finder = SignatureFinder(settings, ledger, profile)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the ledger.  Jobs continue."""
        self.ledger.close()

    def compute(
        self,
        *inputs: Input,
        name: str = "",
        group: str = "",
        priority: int = 0,
        force: bool = False,
        upload: bool = True,
        accept_unproved: bool = False,
        accept_public: bool = False,
        now: bool = False,
    ) -> list[Enqueued]:
        """Enqueue the computation of a signature of each input, unless there is one; return the answers in order.

        name: the name of the signature of an archive, or of all files of reads together
        group: a name under which these runs are found again
        priority: jobs of a higher number start first
        force: compute signatures that exist, and runs known to be unavailable
        upload: whether a signature may be published to the bucket, if one is set
        accept_unproved: read archives on disk that nothing proves; their signatures are marked
        accept_public: take a public signature in place of computing it, if there is one; it is not verified
        now: run the jobs in this process before the method returns, one after the other; else a daemon runs them

        Either all requests are enqueued or none.  Raises UsageError for an input that is not valid, InvalidAccession or
        InvalidName.
        """
        request = partial(JobRequest, profile=self._profile, priority=priority, group=group, upload=upload)
        requests = [
            request(source, accept_unproved=accept_unproved, accept_public=accept_public)
            for source in sources_of(inputs, name, self.settings.quality)
        ]
        claim = FirstClaim(self.ledger, self.settings) if now else None
        answers = enqueue(self.ledger, self._finder, requests, force=force, claim=claim)
        if claim is not None:
            run_here(jobs_of(answers), self.ledger, self.settings, claim.job)
        return answers

    def wait(self, jobs: Iterable[Enqueued | int], timeout: float | None = None) -> list[Job]:
        """Wait until jobs have ended, or wait for a retry that is half a minute away or more; return them.

        jobs: answers of `compute`, or numbers of jobs; an answer without a job is skipped, its signature exists

        Raises TimedOut after `timeout` seconds, and NoSuchJob.  No daemon is needed to wait; without one, queued jobs
        do not start.
        """
        numbers = [job.job_id if isinstance(job, Enqueued) else job for job in jobs]
        known = [self.ledger.jobs.get(number).id for number in dict.fromkeys(numbers) if number is not None]
        return wait_until_ended(self.ledger, known, timeout)

    def find(self, pattern: str = "", *, group: str = "", trust: Trust | None = None) -> Iterator[ListedSignature]:
        """Yield the signatures of the catalog in order of their names.

        pattern: of names, with * and ?; empty for all
        group: only members of this group
        trust: only signatures of this trust
        """
        return self.ledger.catalog.listed(self._profile, pattern, group=group, trust=trust)

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Return a context with the file of a signature, sourmash's JSON in gzip; the bucket is asked if it is there.

        The bytes are compared with what the catalog recorded.  Raises ContentMismatch if they differ, UsageError if
        there is no such signature.
        """
        return self._finder.open(parse_name(name))

    def signature(self, name: str, k: int | None = None) -> "SourmashSignature":
        """Return a sketch of a signature as sourmash has it.

        k: which one; it may be left out if the signature has only one

        Raises as `open`, and UsageError if the signature has no such sketch.
        """
        import sourmash

        with self.open(name) as file:
            found = [one for one in sourmash.load_signatures_from_json(file.read()) if k in (None, one.minhash.ksize)]
        if len(found) != 1:
            which = f" with k={k}" if k else ""
            raise UsageError(f"the signature of {name} has {len(found)} sketches{which}", "choose one with `k`")
        return found[0]
