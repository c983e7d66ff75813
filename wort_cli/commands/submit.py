"""`wort submit`: accepts signatures made by others; each is checked, stored apart, and verified by recalculation."""

from pathlib import Path
from typing import Annotated, Any

import typer

from wort_cli.commands.shared.arguments.options import (
    GroupOption,
    JsonOption,
    NoHeaderOption,
    PriorityOption,
    ProfileOption,
)
from wort_cli.commands.shared.arguments.profiles import chosen_profile
from wort_cli.commands.shared.arguments.selection import open_home
from wort_cli.commands.shared.arguments.typed_names import typed_accession
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import ID, ID_IF_SPACE, JOB, MESSAGE, PATH_FIELD, Document, Field, one_of
from wort_cli.commands.shared.showing.printing import Form, print_records
from wort_cli.errors import ExitCode, UsageError, WortError
from wort_cli.model.provenance import Trust
from wort_cli.model.submission import SourceCheck, Submission

DOCUMENT = Document(
    "submit",
    "The signatures that were submitted.",
    rows="submissions",
    row=(
        Field("name", ID, "The run, or the first characters of the digest if the data are at a URL"),
        Field("trust", one_of(Trust), "How far the signature is trusted"),
        Field("digest", ID_IF_SPACE, "The digest of its content"),
        Field("source", one_of(SourceCheck), "Whether the data are public"),
        Field("job", JOB, "The job that verifies it", optional=True),
        MESSAGE,
        PATH_FIELD,
    ),
    columns=("name", "trust", "job", "source", "digest"),
)


def submit(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE|URL|-", help="Signature files, or URLs of them; - reads one from standard input."),
    ],
    accession: Annotated[
        str, typer.Option("--accession", metavar="ID", help="The run of the signature (default: the signature's name).")
    ] = "",
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="The public URL of the data, if they are not a run.")
    ] = "",
    verify: Annotated[
        bool, typer.Option("--verify/--no-verify", help="Queue a verification of each signature.")
    ] = True,
    submitter: Annotated[
        str, typer.Option("--as", metavar="WHO", help="The name of the submitter (default: the user name).")
    ] = "",
    profile: ProfileOption = "",
    priority: PriorityOption = 0,
    group: GroupOption = "",
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Submit signatures that were made by others.

    A submitted signature is stored as unverified until its verification, a recalculation from the reads, has ended.
    """
    from wort_cli.api.submitting import submit_and_verify
    from wort_cli.commands.shared.verifying.verification import suggest_next_command
    from wort_cli.submission.intake import Claims, parse_submitter

    if len(files) > 1 and (accession or url or "-" in files):
        raise UsageError("--accession, --url and - need exactly one signature", "submit the signatures one by one")
    claims = Claims(parse_submitter(submitter), typed_accession(accession) if accession else None, url)
    settings, ledger = open_home()
    wanted = chosen_profile(profile, settings, ledger)
    records: list[dict[str, Any]] = []
    problems: list[WortError] = []
    queued = 0
    for word in dict.fromkeys(files):
        try:
            submission, job = submit_and_verify(
                word, claims, ledger, settings, profile=wanted, verify=verify, priority=priority, group=group
            )
        except WortError as error:
            if len(files) == 1:
                raise
            render.notice(f"wort: {error.sentence}" + (f"\n  {error.hint}" if error.hint else ""))
            problems.append(error)
            continue
        queued += job is not None
        records.append(submission_record(submission, job, settings.store_dir))
        if submission.source_check == "not checked":
            render.notice(f"{submission.name}: whether its data are public was not checked ({submission.source_note})")
    print_records(DOCUMENT, records, Form.of(as_json=as_json), header=not no_header)
    suggest_next_command(queued, settings)
    if problems:
        raise typer.Exit(int(worst_exit_code(problems)))


def submission_record(submission: Submission, job: int | None, store: Path) -> dict[str, Any]:
    """Return a submission with the keys of DOCUMENT."""
    return {
        "name": str(submission.name),
        "trust": str(submission.trust),
        "digest": submission.digest,
        "source": str(submission.source_check),
        "job": job,
        "message": submission.source_note or None,
        "path": str(store / submission.path),
    }


def worst_exit_code(problems: list[WortError]) -> ExitCode:
    """Return one exit code for several errors: a refused signature takes precedence over a temporary error."""
    codes = {error.exit_code for error in problems}
    return ExitCode.NOT_A_SIGNATURE if ExitCode.NOT_A_SIGNATURE in codes else max(codes)
