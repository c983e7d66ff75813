"""The options and arguments that several commands share, each with one help text."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from wort_cli.errors import UsageError, shown
from wort_cli.model.profile import SRA_V1, Profile
from wort_cli.setting_fields import ENGINES
from wort_cli.settings import Settings

JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]
NoHeaderOption = Annotated[
    bool, typer.Option("--no-header", help="Print no line with the names of the columns in a pipe.")
]

RunsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="ID|-", help="Accessions of runs; - reads them from standard input.")
]
SourcesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID|FILE|-", help="Accessions of runs or projects, or archives; - reads a list from standard input."
    ),
]
PatternArgument = Annotated[
    str, typer.Argument(metavar="PATTERN", help="Names to list, such as SRR139*; * and ? stand for other letters.")
]
JobsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="JOB|ID", help="Job numbers, or signature names (the newest job of each)."),
]

ShowAllOption = Annotated[
    bool, typer.Option("--all", help="Show everything, also what is usually left out on a terminal or as normal.")
]

# Options that select jobs.
SelectGroupOption = Annotated[str, typer.Option("-g", "--group", metavar="NAME", help="Select the jobs of this group.")]
SelectAllOption = Annotated[bool, typer.Option("--all", help="Select all jobs that have not ended.")]
SelectStateOption = Annotated[
    str, typer.Option("--state", metavar="STATE", help="Select the jobs in this state, such as failed.")
]
SelectReasonOption = Annotated[
    str, typer.Option("--reason", metavar="REASON", help="Select the jobs with this reason, such as network.")
]

# Options of the commands that enqueue jobs.
GroupOption = Annotated[str, typer.Option("-g", "--group", metavar="NAME", help="Put the jobs into this group.")]
PriorityOption = Annotated[
    int,
    typer.Option("--priority", metavar="N", min=-1000, max=1000, help="Jobs with a higher priority start first."),
]
EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="ENGINE",
        help="Sketch with `kernel` or `sourmash`; both give the same signature (default: the setting `engine`).",
    ),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Exit with code 3 if a run is unavailable, not only if all are.")
]
WaitOption = Annotated[bool, typer.Option("-w", "--wait", help="Wait until the daemon has finished the jobs.")]
NowOption = Annotated[bool, typer.Option("--now", help="Run the jobs in this process; no daemon is needed.")]
PROFILE = typer.Option("--profile", metavar="NAME", help="Parameter set (default: the setting `profile`).")
ProfileOption = Annotated[str, PROFILE]
ProfilesOption = Annotated[list[str] | None, PROFILE]
"""Several are sketched in one pass."""
DryRunOption = Annotated[bool, typer.Option("-n", "--dry-run", help="Show what would be done, and do nothing.")]
FromFileOption = Annotated[
    Path | None,
    typer.Option(
        "--from-file",
        metavar="FILE",
        help="Read IDs from a file: one per line (# starts a comment), or a table with a column `Run`.",
    ),
]
KeepSlicesOption = Annotated[
    bool,
    typer.Option(
        "--keep-slices",
        help="Leave unfinished work in the bucket when a task is asked to end, for the next (setting `keep_slices`).",
    ),
]
TasksOption = Annotated[
    int | None, typer.Option("--tasks", metavar="N", min=1, max=100_000, help="Make N lists, or one for each run.")
]
BasesPerTaskOption = Annotated[
    float | None,
    typer.Option("--bases-per-task", metavar="B", min=1, help="Make lists of about B bases, such as 5e10."),
]
OutputOption = Annotated[
    str,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE|DIR/|-",
        help="Write the signature to a file (.sig, .sig.gz or .zip), into a directory, or to standard output.",
    ),
]
ProvenanceFileOption = Annotated[
    bool, typer.Option("--no-provenance", help="Write no .prov.json file beside what -o writes.")
]
TrustOption = Annotated[
    str, typer.Option("--trust", metavar="TRUST", help="Only signatures of this trust, such as computed.")
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="COLUMN=VALUE",
        help="Only runs with such metadata: organism=Homo*, strategy=WGS,WXS, bases>=1G (also != < <= >); repeatable.",
    ),
]
AcceptPublicOption = Annotated[
    bool,
    typer.Option(
        "--accept-public", help="Take signatures that the public ones have, unverified, and compute the others."
    ),
]
OfflineOption = Annotated[
    bool, typer.Option("--offline", help="Do not ask for public signatures (setting `s3_preset`).")
]
ReplaceOption = Annotated[bool, typer.Option("-f", "--force", help="Replace a file that exists.")]
SkipInvalidOption = Annotated[
    bool, typer.Option("--skip-invalid", help="Leave out what is not valid, say so on stderr, and exit with code 1.")
]


def check_accept_public(settings: Settings, profiles: Sequence[Profile], *, accepted: bool, force: bool) -> None:
    """Raise UsageError if public signatures are to be accepted, and cannot be."""
    if not accepted:
        return
    if force:
        raise UsageError("--accept-public and --force exclude each other", "--force computes each signature")
    if settings.public is None:
        raise UsageError(
            "the public signatures are switched off (s3_preset)", "`wort config set s3_preset wort-public`"
        )
    if SRA_V1 not in profiles:
        raise UsageError(f"the public signatures have the profile {SRA_V1.name}", "leave out --accept-public")


def check_engine(engine: str) -> None:
    """Raise UsageError for an engine that does not exist; empty stands for the setting."""
    if engine and engine not in ENGINES:
        raise UsageError(f"there is no engine {shown(engine)}", f"the engines are: {', '.join(ENGINES)}")


def check_wait_and_now(*, wait: bool, now: bool) -> None:
    """Raise UsageError if both --wait and --now were given."""
    if wait and now:
        raise UsageError("--wait and --now exclude each other", "--now runs the jobs at once, in this process")
