"""Says why the catalog does not have what was asked for."""

from collections.abc import Iterable, Iterator, Sequence

from wort_cli.ledger.jobs import JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.absence import UNKNOWN, Absence, AbsenceReason
from wort_cli.model.accession import parse_name
from wort_cli.model.job import Job, JobKind, JobState
from wort_cli.model.profile import listed_with, profile_for
from wort_cli.model.provenance import Trust
from wort_cli.model.run_condition import RunCondition


def absence_of_job(job: Job) -> Absence:
    """Return why a job has no signature."""
    reason = job.reason
    if reason is None:
        found = AbsenceReason.NOT_DONE
        return Absence(str(job.name), str(job.state), str(found), found.sentence.format(name=job.name, option=""))
    sentence = reason.sentence + (f": {job.message}" if job.message else "")
    return Absence(str(job.name), str(job.state), str(reason), sentence)


def absence_of_name(ledger: Ledger, name: str, profile: str) -> Absence:
    """Return why the catalog has no signature of a name, or none that was selected."""
    record = ledger.catalog.get(parse_name(name), profile)
    if record is not None:
        refuted = record.trust is Trust.MISMATCH
        return Absence.of(name, AbsenceReason.REFUTED if refuted else AbsenceReason.NOT_SELECTED, profile)
    for job in ledger.jobs.named(parse_name(name)):
        if job.kind is JobKind.COMPUTE and job.profile == profile_for(name, profile):
            return absence_of_job(job)
    if claim := ledger.absences.claimed(name, profile):
        sentence = f"{claim.reason.sentence}, according to {claim.origin}: {claim.next_step(profile)}"
        return Absence(name, str(claim.state), str(claim.reason), sentence)
    return Absence.of(name, AbsenceReason.NOT_REQUESTED, profile, UNKNOWN)


def absences_of_names(ledger: Ledger, names: Iterable[str], profile: str) -> Iterator[Absence]:
    """Yield why the catalog has no signature of each name."""
    for name in names:
        yield absence_of_name(ledger, name, profile)


def absences_of_jobs(ledger: Ledger, group: str, profile: str, where: Sequence[RunCondition] = ()) -> Iterator[Absence]:
    """Yield the runs of a group, or all that were ever requested, which meet the conditions and have no signature."""
    profiles = (profile, listed_with(profile))
    for state in JobState:
        if state is JobState.DONE:
            continue
        for job in ledger.jobs.every(JobFilter(state=state, group=group, runs=tuple(where))):
            if job.kind is JobKind.COMPUTE and job.profile in profiles and is_newest(ledger, job):
                yield absence_of_job(job)


def is_newest(ledger: Ledger, job: Job) -> bool:
    """Return whether a job is the newest of its signature, and the catalog has none."""
    if ledger.catalog.get(job.name, job.profile) is not None:
        return False
    newest = [other for other in ledger.jobs.named(job.name) if other.kind is job.kind and other.profile == job.profile]
    return newest[0].id == job.id
