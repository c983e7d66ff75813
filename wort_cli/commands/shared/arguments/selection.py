"""Opens the home of this environment, and selects the jobs that the command line names."""

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from wort_cli.api.job_changes import filtered_job_ids
from wort_cli.commands.shared.arguments.typed_names import typed_name
from wort_cli.commands.shared.showing import render
from wort_cli.errors import NoSuchJob, StorageProblem, UsageError, shown
from wort_cli.ledger.jobs import JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Name
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.model.profile import SRA_V1, profile_option
from wort_cli.model.provenance import Trust
from wort_cli.model.run_condition import RunCondition, parse_conditions
from wort_cli.model.s3_target import OFF
from wort_cli.settings import Settings, load_settings, load_usable_settings

NAMES_AND_OPTIONS = "name jobs or select them with an option, not both"


def open_home() -> tuple[Settings, Ledger]:
    """Return the settings of this environment and its ledger; make the directories that are missing."""
    settings = load_settings()
    return settings, open_ledger(settings)


def open_ledger(settings: Settings) -> Ledger:
    """Return the ledger of a home; make the directories that are missing."""
    settings.make_directories()
    return Ledger(settings.ledger_file)


def open_home_to_read(*, offline: bool = False) -> tuple[Settings, Ledger]:
    """Return the settings and the ledger for a command that changes nothing; it works on a full or read-only disk.

    offline: without the public signatures
    """
    settings = load_settings()
    settings = replace(settings, s3_preset=OFF) if offline else settings
    return settings, open_ledger_to_read(settings)


def open_ledger_to_read(settings: Settings) -> Ledger:
    """Return the ledger of a home for a command that changes nothing."""
    make_directories_if_possible(settings)
    return Ledger(settings.ledger_file, reading=True)


def make_directories_if_possible(settings: Settings) -> None:
    """Make the directories that are missing, unless the disk is full or read-only."""
    with contextlib.suppress(StorageProblem):
        settings.make_directories()


def usable_settings() -> Settings:
    """Return the settings of this environment that can be used; say on stderr why others cannot."""
    settings, faults = load_usable_settings()
    for fault in faults:
        render.notice(f"{render.printable(fault.sentence)}; {fault.effect}")
    return settings


def find_job_ids(ledger: Ledger, words: Sequence[str]) -> list[int]:
    """Return the jobs that were named by number, or by signature name (the newest job of that name).

    Raises NoSuchJob for a job that does not exist, InvalidName for a word that cannot be a name.
    """
    found = []
    for word in words:
        if word.isascii() and word.isdigit() and len(word) < 18:
            found.append(ledger.jobs.get(int(word)).id)
        else:
            name = typed_name(word)
            jobs = ledger.jobs.named(name)
            if not jobs:
                raise no_job_of(name, ledger)
            found.append(jobs[0].id)
    return list(dict.fromkeys(found))


def no_job_of(name: Name, ledger: Ledger) -> NoSuchJob:
    """Return the error for a name without a job, with what is known of its signature."""
    if profiles := ledger.catalog.profiles_of(name):
        option = profile_option(profiles[0])
        return NoSuchJob(name, f"{name} has a signature, and no job", f"`wort view {name}{option}` shows the signature")
    if claim := ledger.absences.claimed(str(name), SRA_V1.name):
        why = f"{claim.reason.sentence}, according to {claim.origin}"
        return NoSuchJob(name, f"{name} has no job, and no signature: {why}", claim.next_step(SRA_V1.name))
    return NoSuchJob(name)


def select_job_ids(
    ledger: Ledger, words: Sequence[str] | None, job_filter: JobFilter, *, everything: bool
) -> list[int]:
    """Return the jobs that were named, or those that a filter selects; UsageError for neither and for both."""
    if words and (everything or job_filter != JobFilter()):
        raise UsageError(NAMES_AND_OPTIONS)
    if words:
        return find_job_ids(ledger, words)
    if everything or job_filter != JobFilter():
        return filtered_job_ids(ledger, job_filter)
    raise UsageError("no jobs are named", "give job numbers or names, a group (-g), or --all")


def parse_where(texts: Iterable[str] | None, ledger: Ledger) -> tuple[RunCondition, ...]:
    """Return the conditions on runs that --where has; say on stderr if the ledger knows nothing of any run."""
    conditions = parse_conditions(texts or ())
    if conditions and not ledger.runs.any:
        render.notice("nothing is known of any run; `wort runs PROJECT` and tables such as RunInfo tell")
    return conditions


def parse_state(text: str) -> JobState | None:
    """Return a job state, or None for empty text; UsageError lists the states."""
    try:
        return JobState(text) if text else None
    except ValueError:
        raise UsageError(f"there is no state {text!r}", f"the states are: {', '.join(JobState)}") from None


def parse_reason(text: str) -> Reason | None:
    """Return a reason, or None for empty text; UsageError lists the reasons."""
    try:
        return Reason(text) if text else None
    except ValueError:
        raise UsageError(f"there is no reason {text!r}", f"the reasons are: {', '.join(Reason)}") from None


def parse_trust(text: str) -> Trust | None:
    """Return a trust, or None for empty text; UsageError lists the levels."""
    try:
        return Trust(text) if text else None
    except ValueError:
        raise UsageError(f"there is no trust {shown(text)}", f"the levels are: {', '.join(Trust)}") from None
