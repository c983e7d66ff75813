"""`wort batch`: writes the files with which a scheduler runs wort, and says how to start them."""

import os
import shlex
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from wort_cli.commands.shared.arguments.durations import parse_duration
from wort_cli.commands.shared.arguments.options import (
    BasesPerTaskOption,
    FromFileOption,
    JsonOption,
    KeepSlicesOption,
    NoHeaderOption,
    SkipInvalidOption,
    SourcesArgument,
    TasksOption,
)
from wort_cli.commands.shared.batch.division import check_division, divide
from wort_cli.commands.shared.batch.request import Batch, Step, Written, checked_word, command, name_of, parse_size
from wort_cli.commands.shared.batch.task_files import check_new, write_new
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import COUNT, ID, PATH, Document, Field, one_of
from wort_cli.commands.shared.showing.printing import Form, print_records
from wort_cli.errors import StorageProblem, UsageError, cause_of, shown
from wort_cli.model.queue_address import without_password
from wort_cli.model.s3_target import DIRECTORY, S3Target, bucket_name, bucket_or_directory, key_prefix
from wort_cli.settings import Settings, load_settings, variable_of

ENGINES = {
    "slurm": "slurm",
    "hyperqueue": "hyperqueue",
    "aws-batch": "aws_batch",
    "nextflow": "nextflow",
    "snakemake": "snakemake",
}
"""The module of each engine in shared/batch/."""
OF_THIS_MACHINE = frozenset(
    {"jobs", "threads", "max_load", "metrics_file", "metrics_address", "queue", "queue_password_file"}
)
"""Settings that say what this machine does, and nothing of a node; the URL of a queue may have a password."""
DOCUMENT = Document(
    "batch",
    "The files of a batch, and the commands with which to continue.",
    head=(
        Field("engine", one_of(ENGINES), "The scheduler"),
        Field("path", PATH, "The directory of the files"),
        Field("runs", COUNT, "The number of runs"),
        Field("unknown", COUNT, "Runs whose length is not known, which count as the mean of the others"),
        Field("tasks", COUNT, "The number of tasks"),
    ),
    rows="steps",
    row=(
        Field("step", ID, "What the command is for"),
        Field("command", ID, "A command line for a shell"),
    ),
    columns=("step", "command"),
)


def batch(
    engine: Annotated[
        str, typer.Argument(metavar="ENGINE", help="slurm, hyperqueue, aws-batch, nextflow or snakemake.")
    ],
    ids: SourcesArgument = None,
    from_file: FromFileOption = None,
    skip_invalid: SkipInvalidOption = False,
    tasks: TasksOption = None,
    bases_per_task: BasesPerTaskOption = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Write the files into this directory, which is made.")
    ] = Path("batch"),
    store: Annotated[
        str,
        typer.Option(
            "--store",
            metavar="URL",
            help="What the tasks share: s3://BUCKET/PREFIX or file:///DIRECTORY (default: setting `s3_bucket`).",
        ),
    ] = "",
    cores: Annotated[int, typer.Option("--cores", metavar="N", min=1, max=1024, help="Cores of each task.")] = 2,
    memory: Annotated[
        str, typer.Option("--memory", metavar="SIZE", help="Memory of each task, such as 8G (default: 4G).")
    ] = "",
    time: Annotated[
        str, typer.Option("--time", metavar="DURATION", help="Time of each task, such as 12h (default: no limit).")
    ] = "",
    tries: Annotated[
        int, typer.Option("--tries", metavar="N", min=1, max=100, help="Tries of a task that may succeed later.")
    ] = 5,
    partition: Annotated[
        str, typer.Option("--partition", metavar="NAME", help="The partition, or the queue, that takes the tasks.")
    ] = "",
    image: Annotated[
        str, typer.Option("--image", metavar="NAME", help="Name of the container's image that is made (aws-batch).")
    ] = "",
    base_image: Annotated[
        str, typer.Option("--base-image", metavar="NAME", help="Image of wort that it is made from (aws-batch).")
    ] = "wort",
    role: Annotated[
        str, typer.Option("--role", metavar="ARN", help="Role of AWS that the tasks have (aws-batch).")
    ] = "",
    keep_slices: KeepSlicesOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Write the files with which a scheduler computes runs.

    These are a job script, a workflow or a job definition, and lists of runs, split as `wort plan` does. Each
    task computes its list in one process, with a home on the node's own disk, and publishes into the store; runs
    that are there are skipped. Nothing is started.

    \b
    Examples:
      wort batch slurm --from-file runs.txt --tasks 100 --store file:///shared
      wort batch nextflow PRJNA63463 --bases-per-task 5e10 --cores 4 -o encode
    """
    if engine not in ENGINES:
        raise UsageError(f"{shown(engine)} is not an engine", f"it must be one of {', '.join(ENGINES)}")
    check_division(tasks, bases_per_task)
    check_new(output)
    settings = load_settings()
    target, of_store = store_of(store, settings)
    division = divide(ids or [], from_file, settings, tasks, bases_per_task, skip_invalid=skip_invalid)
    config, directory = config_text(settings), output.absolute()
    request = Batch(
        directory=directory,
        name=name_of(directory),
        tasks=len(division.lists),
        cores=cores,
        memory=parse_size(memory, "--memory") if memory else 0,
        seconds=parse_duration(time, "--time") if time else 0,
        tries=tries,
        program=program(),
        variables={**variables_of(settings, cores, os.environ), **of_store},
        has_config=bool(config),
        store=target,
        partition=checked_word(partition, "--partition"),
        image=checked_word(image, "--image"),
        base_image=checked_word(base_image, "--base-image"),
        role=checked_word(role, "--role"),
        options=("--keep-slices",) if keep_slices else (),
    )
    made: Written = import_module(f"wort_cli.commands.shared.batch.{ENGINES[engine]}").written(request)
    files = {f"tasks/{name}": text for name, text in division.files().items()}
    files |= {"config.toml": config} if config else {}
    write_new(output, {**files, **made.files}, ("logs", "reports"))
    if target.directory is not None and not target.directory.is_dir():
        render.notice(f"{shown(str(target.directory), 200)} does not exist here: create it before the tasks start")
    for note in made.notes:
        render.notice(note)
    head = {"engine": engine, "path": str(directory), "runs": division.runs, "unknown": division.unknown}
    head |= {"tasks": request.tasks}
    where = "".join(f"{name}={shlex.quote(value)} " for name, value in of_store.items() if value)
    last = (Step("report", command("wort", "import", directory / "reports")), Step("bring", f"{where}wort sync pull"))
    steps = [{"step": step.what, "command": step.command} for step in (*made.steps, *last)]
    print_records(DOCUMENT, steps, Form.of(as_json=as_json), header=not no_header, head=head)
    division.explain(tasks)
    division.exit_if_skipped()


def store_of(url: str, settings: Settings) -> tuple[S3Target, dict[str, str]]:
    """Return the store of the tasks, and the environment variables of it.  Raises UsageError for an invalid URL."""
    if not url:
        if settings.s3 is None:
            raise UsageError(
                "the tasks need a store that they share", "give --store, or set `s3_bucket` (docs/clusters.md)"
            )
        return settings.s3, {}
    try:
        if url.startswith(DIRECTORY):
            bucket, prefix = bucket_or_directory(url), ""
        elif url.startswith("s3://"):
            bucket, prefix = bucket_name(urlsplit(url).netloc), key_prefix(urlsplit(url).path.lstrip("/"))
        else:
            raise ValueError("give s3://BUCKET/PREFIX or file:///DIRECTORY")
        if not bucket:
            raise ValueError("it has no bucket")
    except ValueError as error:
        raise UsageError(f"--store {shown(url, 200)}: {error}") from None
    variables = {"WORT_S3_BUCKET": bucket, "WORT_S3_PREFIX": prefix}
    endpoint = "" if url.startswith(DIRECTORY) else settings.s3_endpoint
    return S3Target(bucket, prefix, endpoint), variables


def variables_of(settings: Settings, cores: int, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables with which the tasks have the settings of this shell.

    Those of config.toml are in its copy.  A number of threads that was set for this machine is not that of a task.
    """
    given = {name for name, origin in settings.origins.items() if origin.startswith("$")} - OF_THIS_MACHINE
    variables = {variable_of(name): environ[variable_of(name)] for name in given}
    if settings.origins.get("threads", "default") != "default":
        variables["WORT_THREADS"] = str(cores)
    return variables


def config_text(settings: Settings) -> str:
    """Return the text of config.toml, without the password of a queue; empty if there is none.

    Raises StorageProblem if it cannot be read.
    """
    try:
        return str(without_password(settings.config_file.read_text("utf-8"))) if settings.config_file.exists() else ""
    except OSError as error:
        raise StorageProblem(f"{settings.config_file} cannot be read: {cause_of(error)}") from error


def program() -> str:
    """Return the path of wort, which must be the same on each node."""
    beside = Path(sys.executable).with_name("wort")
    return str(beside) if beside.exists() else "wort"
