"""`wort merge`: adds the sketches of the runs of a sample, an experiment or a project up to one signature."""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wort_cli.api.job_changes import check_group
from wort_cli.commands.shared.arguments.options import (
    DryRunOption,
    JsonOption,
    NoHeaderOption,
    ProfileOption,
    SelectGroupOption,
)
from wort_cli.commands.shared.arguments.profiles import chosen_profile
from wort_cli.commands.shared.arguments.selection import open_home
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import (
    BOOLEAN,
    COUNT,
    ID,
    MESSAGE,
    PATH_FIELD,
    TEXT,
    Document,
    Field,
    list_of,
    one_of,
    record_of,
)
from wort_cli.commands.shared.showing.printing import Form, lines_of
from wort_cli.errors import ExitCode, UsageError, WortError, shown
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.absence import AbsenceReason
from wort_cli.model.accession import Name
from wort_cli.model.failure import Reason
from wort_cli.model.profile import profile_option
from wort_cli.model.run_condition import COLUMNS, NUMBERS

if TYPE_CHECKING:
    from wort_cli.upkeep.merge_signatures import Merger

MERGED, WOULD_BE, THERE, INCOMPLETE, FAILED = "merged", "would be merged", "already there", "incomplete", "failed"
ABSENT = record_of(
    Field("name", ID, "The run"), Field("reason", one_of((*Reason, *AbsenceReason)), "Why its signature is not there")
)
DOCUMENT = Document(
    "merge",
    "The signatures that were added up, and the runs that are missing from each.",
    head=(
        Field("group", ID, "The group"),
        Field("by", TEXT, "The column of the metadata that says which runs belong together"),
        Field("dry_run", BOOLEAN, "Whether nothing was changed"),
    ),
    rows="signatures",
    row=(
        Field("name", ID, "The name of the signature"),
        Field("value", TEXT, "The value of the column"),
        Field("state", one_of((MERGED, WOULD_BE, THERE, INCOMPLETE, FAILED)), "What was done, or would be done"),
        Field("runs", COUNT, "The number of runs that were added up, or would be"),
        Field("absent", list_of(ABSENT), "The runs that are missing, and why"),
        MESSAGE,
        PATH_FIELD,
    ),
    columns=("name", "state", "runs", "message", "path"),
)
GROUPABLE = tuple(column for column in COLUMNS if column not in NUMBERS)
NAMED = 3
"""Missing runs that a message names."""


def merge(
    group: SelectGroupOption = "",
    by: Annotated[
        str, typer.Option("--by", metavar="COLUMN", help="What belongs together: sample, experiment, project, ...")
    ] = "sample",
    profile: ProfileOption = "",
    partial: Annotated[
        bool, typer.Option("--partial", help="Add up what is there, also if runs are missing; the provenance says so.")
    ] = False,
    force: Annotated[bool, typer.Option("-f", "--force", help="Replace signatures of these names.")] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Add the runs of each sample or project up.

    Each value of the column gets one signature: hashes are united, abundances are added exactly. It is named after
    the value, and is never published. A value of which runs are missing is left out unless with --partial; the exit
    code is then 1.

    \b
    Examples:
      wort merge -g gut --by biosample
      wort view SAMN00765663
    """
    if not group:
        raise UsageError("no group is named", "-g NAME names it")
    column = by.lower()
    if column not in GROUPABLE:
        raise UsageError(f"runs can't be grouped by {shown(by)}", f"the columns are: {', '.join(GROUPABLE)}")
    settings, ledger = open_home()
    check_group(ledger, group)
    of_profile = chosen_profile(profile, settings, ledger)
    wanted = values_of(ledger, group, of_profile.name, column)
    from wort_cli.upkeep.merge_signatures import Merger  # imports numpy

    merger, form, states = Merger(ledger, settings, of_profile), Form.of(as_json=as_json), Counter[str]()
    head = {"group": group, "by": column, "dry_run": dry_run}
    with lines_of(DOCUMENT, form, header=not no_header, head=head) as write:
        for name, (value, runs) in wanted.items():
            record = merge_one(merger, name, runs, partial=partial, force=force, dry_run=dry_run)
            path = str(settings.store_dir / record["path"]) if record["path"] else None
            write({**record, "name": str(name), "value": value, "path": path})
            states[record["state"]] += 1
    sys.stdout.flush()
    render.notice(", ".join(f"{number:,} {state}" for state, number in sorted(states.items())))
    if states[INCOMPLETE]:
        option = profile_option(of_profile.name, settings.profile)
        render.notice(f"`wort compute RUN{option}` computes what is missing; --partial adds up what is there")
    if states[INCOMPLETE] or states[FAILED]:
        raise typer.Exit(int(ExitCode.SOME_FAILED))


def values_of(ledger: Ledger, group: str, profile: str, column: str) -> dict[Name, tuple[str, list[str]]]:
    """Return the runs of a group by the name that their sum gets, with the value that they have in common.

    Raises UsageError if the value of a run is not known, or if two values give one name.
    """
    from wort_cli.upkeep.merge_signatures import merged_name

    found: dict[Name, tuple[str, list[str]]] = {}
    unknown = []
    for run, value in ledger.runs.values_in_group(group, profile, column):
        if not value:
            unknown.append(run)
            continue
        of_value = found.setdefault(merged_name(value), (value, []))
        if of_value[0] != value:
            raise UsageError(f"{shown(of_value[0], 200)} and {shown(value, 200)} would have the same name")
        of_value[1].append(run)
    if unknown:
        raise UsageError(
            f"the {column} of {named(unknown)} is not known, so that nothing was added up",
            "`wort runs PROJECT` asks ENA and NCBI; `wort metadata import FILE` reads tables such as RunInfo",
        )
    return dict(sorted(found.items()))


def merge_one(
    merger: "Merger", name: Name, runs: Sequence[str], *, partial: bool, force: bool, dry_run: bool
) -> dict[str, Any]:
    """Add up the signatures of some runs; return the result without the keys `name` and `value`."""
    started = time.time()

    def record(state: str, number: int, absent: Sequence[Any], message: str = "", path: str = "") -> dict[str, Any]:
        absences = [{"name": one.name, "reason": one.reason} for one in absent]
        why = message or (f"missing: {named([one.name for one in absent])}" if absent else None)
        values = {"state": state, "runs": number, "absent": absences, "message": why, "path": path or None}
        return {"name": "", "value": "", **values}

    try:
        parts, missing = merger.parts(runs)
        earlier = merger.earlier(name)
        if earlier is not None and not force:
            if earlier.provenance.parts == {run: part.digest for run, part in parts.items()}:
                state = THERE if not missing or partial else INCOMPLETE
                return record(state, len(parts), missing, path=earlier.path)
            why = "the catalog has another signature of this name; --force replaces it"
            return record(FAILED, 0, missing, why)
        if dry_run or not parts or (missing and not partial):
            state = INCOMPLETE if not parts or (missing and not partial) else WOULD_BE
            return record(state, len(parts), missing)
        total = merger.add_up(parts, missing)
        if not total.parts or (total.missing and not partial):
            return record(INCOMPLETE, len(total.parts), total.missing)
        stored = merger.store(name, total, started, force=force)
        return record(MERGED, len(total.parts), total.missing, path=stored.path)
    except WortError as error:
        return record(FAILED, 0, (), error.sentence)


def named(runs: Sequence[str]) -> str:
    """Return some runs as text: the first of them, and how many others."""
    others = len(runs) - NAMED
    return ", ".join(runs[:NAMED]) + (f", and {others:,} other{'s' * (others > 1)}" if others > 0 else "")
