"""`wort submit`: hand in signatures that others made; each is checked, kept apart, and verified by recalculation."""

from typing import Annotated, Any

import typer

from wort_cli.commands.shared import render
from wort_cli.commands.shared.context import JsonOption, begin
from wort_cli.commands.verify import say_what_is_next
from wort_cli.errors import ExitCode, UsageError, WortError
from wort_cli.model.accession import Accession
from wort_cli.model.provenance import Trust

COLUMNS = ("name", "trust", "digest", "source", "job")


def submit(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE|URL|-", help="Signature files, URLs of such, or - for stdin.")
    ],
    accession: Annotated[
        str, typer.Option("--accession", metavar="ID", help="The run that it is of, if its name does not say so.")
    ] = "",
    url: Annotated[str, typer.Option("--url", metavar="URL", help="Where the data that it is of are public.")] = "",
    verify: Annotated[bool, typer.Option("--verify/--no-verify", help="Queue its verification.")] = True,
    submitter: Annotated[str, typer.Option("--as", metavar="WHO", help="Who hands it in (default: the user).")] = "",
    priority: Annotated[
        int, typer.Option("--priority", min=-1000, max=1000, help="The highest is verified first.")
    ] = 0,
    group: Annotated[str, typer.Option("-g", "--group", metavar="NAME", help="Put the jobs into a group.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Hand in signatures that others made."""
    from wort_cli.commands.shared.verification import request_of
    from wort_cli.model.verdict import Depth
    from wort_cli.submission.intake import Claims, parse_submitter, submit_signature

    if len(files) > 1 and (accession or url or "-" in files):
        raise UsageError("--accession, --url and - are for one signature", "hand them in one by one")
    claims = Claims(parse_submitter(submitter), Accession.parse(accession) if accession else None, url)
    settings, ledger = begin()
    records: list[dict[str, Any]] = []
    problems: list[WortError] = []
    queued = 0
    for word in dict.fromkeys(files):
        try:
            submission = submit_signature(word, claims, settings, ledger)
        except WortError as error:
            if len(files) == 1:
                raise
            render.say(f"wort: {error.sentence}" + (f"\n  {error.hint}" if error.hint else ""))
            problems.append(error)
            continue
        job: int | str = ""
        if verify and submission.is_of_a_run and submission.trust not in (Trust.VERIFIED, Trust.MISMATCH):
            request = request_of(submission, Depth.FULL, priority=priority, group=group)
            [job] = ledger.submissions.enqueue_verifications([request])
            queued += 1
        records.append(
            {
                "name": str(submission.name),
                "trust": str(submission.trust),
                "digest": submission.digest,
                "source": str(submission.source_check),
                "job": job,
                "source_note": submission.source_note,
                "path": submission.path,
            }
        )
        if submission.source_check == "not checked":
            render.say(f"{submission.name}: whether its data are public was not checked ({submission.source_note})")
    render.table(COLUMNS, records, as_json=as_json)
    say_what_is_next(queued, settings)
    if problems:
        raise typer.Exit(int(worst(problems)))


def worst(problems: list[WortError]) -> ExitCode:
    """One exit code for several problems: a refusal comes before what may pass."""
    codes = {error.exit_code for error in problems}
    return ExitCode.NOT_A_SIGNATURE if ExitCode.NOT_A_SIGNATURE in codes else max(codes)
