"""What most commands begin with: settings, the ledger, the options they share, and which jobs are meant."""

from collections.abc import Sequence
from typing import Annotated

import typer

from wort_cli.errors import NoSuchJob, UsageError
from wort_cli.ledger.jobs import JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import parse_name
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.settings import Settings, load_settings

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
GroupOption = Annotated[str, typer.Option("-g", "--group", metavar="NAME", help="The jobs of this group.")]
JobsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="JOB|ID", help="Numbers of jobs, or names of signatures.")
]


def begin() -> tuple[Settings, Ledger]:
    """The settings of this environment, and its ledger."""
    settings = load_settings()
    settings.make_directories()
    return settings, Ledger(settings.ledger_file)


def job_ids_of(ledger: Ledger, words: Sequence[str]) -> list[int]:
    """The jobs that were named, by number or by the name of their signature (then the last one).

    NoSuchJob if there is none, InvalidName if a word can't name one.
    """
    found = []
    for word in words:
        if word.isascii() and word.isdigit() and len(word) < 18:
            found.append(ledger.jobs.get(int(word)).id)
        else:
            jobs = ledger.jobs.named(parse_name(word))
            if not jobs:
                raise NoSuchJob(word)
            found.append(jobs[0].id)
    return list(dict.fromkeys(found))


def chosen(ledger: Ledger, words: Sequence[str] | None, which: JobFilter, *, everything: bool) -> list[int]:
    """The jobs that were named, or those of a filter; UsageError if it is neither or both."""
    if words and (everything or which != JobFilter()):
        raise UsageError("name jobs, or choose them by an option, not both")
    if words:
        return job_ids_of(ledger, words)
    if everything or which != JobFilter():
        return ledger.jobs.ids(which)
    raise UsageError("which jobs?", "give their numbers or names, a group (-g), or --all")


def state_named(text: str) -> JobState | None:
    """A state that was typed; UsageError names those there are."""
    try:
        return JobState(text) if text else None
    except ValueError:
        raise UsageError(f"there is no state {text!r}", f"there are: {', '.join(JobState)}") from None


def reason_named(text: str) -> Reason | None:
    """A reason that was typed; UsageError names those there are."""
    try:
        return Reason(text) if text else None
    except ValueError:
        raise UsageError(f"there is no reason {text!r}", f"there are: {', '.join(Reason)}") from None
