"""`wort cancel`: drop jobs; those that run are called off by whoever runs them."""

from typing import Annotated

import typer

from wort_cli.commands import render
from wort_cli.commands.context import GroupOption, JobsArgument, JsonOption, begin, chosen
from wort_cli.ledger import JobFilter


def cancel(
    jobs: JobsArgument = None,
    group: GroupOption = "",
    everything: Annotated[bool, typer.Option("--all", help="All jobs that have not ended.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Cancel jobs that have not ended."""
    _, ledger = begin()
    number = ledger.cancel(chosen(ledger, jobs, JobFilter(group=group), everything=everything))
    if as_json:
        render.document({"cancelled": number})
    else:
        render.result(f"{render.count(number, 'job')} cancelled")
