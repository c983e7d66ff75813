"""The page of a run: the standing of its signature, why it is missing if it is, and all that is known of it.

The same for assemblies and local names.  What a page says is decided here; the template only writes it.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from wort_cli.ledger.job_pages import FURTHEST
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Name, public_accession
from wort_cli.model.job import Job, JobKind, JobState
from wort_cli.model.profile import SRA_V1, Profile, profile_for
from wort_cli.model.provenance import ELSEWHERE, SignatureRecord, Trust
from wort_cli.model.submission import Submission
from wort_cli.model.units import iso_time, local_time
from wort_cli.web.databases import DATABASES
from wort_cli.web.pages.histogram import Drawing, draw
from wort_cli.web.pages.job_view import JobView
from wort_cli.web.pages.places import Link, database_of, links_of, page_path
from wort_cli.web.pages.spectra import Spectra, Spectrum
from wort_cli.web.pages.words import OF_STATE, PROMISES, Promise, Standing

JOBS, EVENTS = 10, 30
"""Jobs of a run, and events of each, that its page shows: the newest."""


@dataclass(frozen=True)
class SketchView:
    """A sketch; what only its signature says is None until that was read."""

    k: int
    molecule: str
    scaled: int
    hashes: int
    distinct_kmers: int | None
    kmers: int | None
    singletons: int | None
    median_abundance: float | None
    md5: str
    note: str
    """Why it is empty."""
    bins: tuple[tuple[int, int, int], ...] = ()
    """Bins of the histogram: the smallest and the largest abundance, and the number of hashes."""


@dataclass(frozen=True)
class SignatureView:
    """A signature of the catalog."""

    title: str
    """Its own field `name`, if that is more than the name under which it is stored."""
    trust: str
    promise: Promise
    digest: str
    sha256: str
    size: int
    recorded_at: str | None
    is_local: bool
    url: str | None
    """Its URL in the bucket."""
    sketches: tuple[SketchView, ...]
    why_no_histogram: str
    is_being_read: bool
    is_sent: bool
    """Whether its trust permits the server to send it."""
    verdict: str
    """The result of its last verification, as a sentence."""
    is_claim: bool
    """Whether the provenance is what its publisher says."""
    provenance: dict[str, Any] | None


@dataclass(frozen=True)
class SubmissionView:
    """A submitted signature."""

    trust: str
    promise: Promise
    digest: str
    submitter: str
    submitted_at: str | None
    origin: str
    source_check: str
    why: str


@dataclass(frozen=True)
class RunPage:
    """All that the page of a run shows."""

    database: str
    name: str
    profile: str
    other_profiles: tuple[str, ...]
    standing: Standing
    sentence: str
    """The standing of the signature, in one sentence."""
    reason: str | None
    message: str
    """The facts of this case, if the reason has any."""
    hint: str
    job: JobView | None
    """The job on which the signature depends, while it is under way."""
    position: int | None
    """Its place in the queue, from 1."""
    signature: SignatureView | None
    submissions: tuple[SubmissionView, ...]
    metadata: dict[str, Any] | None
    jobs: tuple[JobView, ...]
    links: tuple[Link, ...]
    drawings: tuple[Drawing, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether this home knows anything of the run."""
        return self.standing is not Standing.UNKNOWN or bool(self.submissions or self.jobs or self.metadata)

    @property
    def is_live(self) -> bool:
        """Whether the page will soon show something else."""
        reading = self.signature is not None and self.signature.is_being_read
        return reading or any(JobState(job.state).is_live for job in self.jobs)

    @property
    def can_be_queued(self) -> bool:
        """Whether a form can queue it: it is a run or an assembly, and the profile is that of the interface."""
        profile = profile_for(self.name, SRA_V1.name)
        return public_accession(self.name) is not None and self.profile in (SRA_V1.name, profile)

    @property
    def path(self) -> str:
        """The path of the page."""
        return page_path(self.name)

    @property
    def has_url(self) -> bool:
        """Whether the server sends the signature under a URL of the earlier service."""
        database = DATABASES.get(self.database)
        is_served = database is not None and self.profile == database.profile.name
        return is_served and self.signature is not None and self.signature.is_sent

    def document(self) -> dict[str, Any]:
        """Return what the page shows as JSON has it, without the drawings."""
        return {key: value for key, value in asdict(self).items() if key != "drawings"}


@dataclass(frozen=True)
class Situation:
    """The standing of a signature, and why."""

    standing: Standing
    sentence: str
    reason: str | None = None
    message: str = ""
    hint: str = ""


def run_page(ledger: Ledger, name: Name, profile: Profile, spectra: Spectra, withheld: Collection[Trust]) -> RunPage:
    """Return the page of a name, for the signature of one profile.

    withheld: levels of trust of which the server sends no signatures
    """
    record = ledger.catalog.get(name, profile.name)
    jobs = ledger.jobs.named(name)
    newest = next((job for job in jobs if job.kind is JobKind.COMPUTE and job.profile == profile.name), None)
    position = place_in_queue(ledger, newest)
    situation = situation_of(record, newest, position)
    if situation.standing is Standing.UNKNOWN and (claim := ledger.absences.claimed(str(name), profile.name)):
        found_out = f"according to {claim.origin} of {local_time(claim.at)[:10]}"
        hint = claim.reason.hint if claim.state is JobState.UNAVAILABLE else claim.next_step(profile.name)
        situation = Situation(OF_STATE[claim.state], claim.reason.sentence, str(claim.reason), found_out, hint)
    spectrum = spectra.of(record, profile) if record is not None else Spectrum()
    metadata = ledger.runs.get(str(name))
    return RunPage(
        database=database_of(str(name)),
        name=str(name),
        profile=profile.name,
        other_profiles=tuple(other for other in ledger.catalog.profiles_of(name) if other != profile.name),
        standing=situation.standing,
        sentence=situation.sentence,
        reason=situation.reason,
        message=situation.message,
        hint=situation.hint,
        job=JobView.of(newest) if newest is not None and newest.state.is_live else None,
        position=position,
        signature=signature_view(ledger, record, profile, spectrum, withheld) if record is not None else None,
        submissions=tuple(submission_view(one) for one in ledger.submissions.named(name)),
        metadata=asdict(metadata) if metadata is not None else None,
        jobs=tuple(JobView.of(job, ledger.job_pages.newest_events(job.id, EVENTS)) for job in jobs[:JOBS]),
        links=links_of(str(name)),
        drawings=draw(spectrum.sketches),
    )


def place_in_queue(ledger: Ledger, job: Job | None) -> int | None:
    """Return the place of a queued job, from 1; None if it does not wait for its turn."""
    if job is None or job.state is not JobState.QUEUED:
        return None
    return ledger.job_pages.ahead_of(job) + 1


def situation_of(record: SignatureRecord | None, job: Job | None, position: int | None) -> Situation:
    """Return the standing of a signature, from the catalog and the newest job that computes it."""
    live = job is not None and job.state.is_live
    if record is not None and record.trust is Trust.MISMATCH and not live:
        return Situation(
            Standing.FAILED,
            "The signature was refuted by a verification.",
            "refuted",
            hint=f"`wort compute {record.name}` computes the right one",
        )
    if record is not None and record.trust is not Trust.MISMATCH:
        again = " It is being computed again." if live else ""
        return Situation(Standing.HAVE, f"The signature is here.{again}")
    if job is None:
        return Situation(Standing.UNKNOWN, "It was not requested here.")
    reason = job.reason
    return Situation(
        OF_STATE[job.state],
        sentence_of_job(job, position),
        str(reason) if reason else None,
        job.message,
        reason.hint if reason else "",
    )


def sentence_of_job(job: Job, position: int | None) -> str:
    """Return the state of a job that has no signature, as a sentence."""
    why = f": {job.reason.sentence}" if job.reason else ""
    if job.state is JobState.QUEUED and position is not None:
        if position == 1:
            return "Queued; it starts next."
        return f"Queued; {'at least ' if position > FURTHEST else ''}{position - 1:,} jobs start before it."
    sentences = {
        JobState.QUEUED: "Queued.",
        JobState.RUNNING: "It is being computed now.",
        JobState.WAITING: f"It waits and is tried again{why}.",
        JobState.DONE: "It was computed, and the catalog no longer has it.",
        JobState.FAILED: f"It failed{why}.",
        JobState.UNAVAILABLE: f"There can be no signature{why}.",
        JobState.CANCELLED: "Its job was cancelled.",
    }
    return sentences[job.state]


def signature_view(
    ledger: Ledger, record: SignatureRecord, profile: Profile, spectrum: Spectrum, withheld: Collection[Trust]
) -> SignatureView:
    """Return a signature of the catalog as a page shows it."""
    made = record.provenance
    verdict = ledger.submissions.last_verdict(record.path) if record.path else None
    title = next((one.title for one in ledger.catalog.sketches.entries(profile.name, names=[record.name])), record.name)
    return SignatureView(
        title=title if title != record.name else "",
        trust=str(record.trust),
        promise=PROMISES[record.trust],
        digest=record.digest,
        sha256=record.sha256,
        size=record.size,
        recorded_at=iso_time(record.created_at),
        is_local=bool(record.path),
        url=record.remote or None,
        sketches=sketch_views(record, profile, spectrum),
        why_no_histogram=spectrum.why_not,
        is_being_read=spectrum.pending,
        is_sent=record.trust not in withheld,
        verdict=verdict.sentence() if verdict else "",
        is_claim=record.trust in ELSEWHERE,
        provenance=made.to_json() if made.started_at else None,
    )


def sketch_views(record: SignatureRecord, profile: Profile, spectrum: Spectrum) -> tuple[SketchView, ...]:
    """Return the sketches of a signature: as they were read, else as its provenance has them."""
    notes: dict[str, str] = {one.md5: one.note for one in record.provenance.sketches}
    if spectrum.sketches:
        return tuple(
            SketchView(
                **{key: value for key, value in sketch.statistics.items() if key != "num"},
                note=notes.get(sketch.statistics["md5"], ""),
                bins=tuple((each.low, each.high, each.hashes) for each in sketch.histogram),
            )
            for sketch in spectrum.sketches
        )
    return tuple(
        SketchView(
            k=one.ksize,
            molecule=profile.moltype,
            scaled=profile.scaled,
            hashes=one.hashes,
            distinct_kmers=one.hashes * profile.scaled,
            kmers=one.abundance_sum * profile.scaled if one.abundance_sum else None,
            singletons=None,
            median_abundance=None,
            md5=one.md5,
            note=one.note,
        )
        for one in record.provenance.sketches
    )


def submission_view(one: Submission) -> SubmissionView:
    """Return a submission as a page shows it."""
    return SubmissionView(
        trust=str(one.trust),
        promise=PROMISES[one.trust],
        digest=one.digest,
        submitter=one.submitter,
        submitted_at=iso_time(one.submitted_at),
        origin=one.origin,
        source_check=f"{one.source_check}: {one.source_note}" if one.source_note else str(one.source_check),
        why=one.why,
    )
