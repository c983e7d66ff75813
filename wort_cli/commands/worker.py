"""`wort worker`: runs jobs of a coordinator on another host, and shows and drains the workers of this home.

The worker's own modules are imported when it runs.
"""

from dataclasses import replace
from typing import Annotated, Any

import typer

from wort_cli.commands.shared.arguments.options import JsonOption, NoHeaderOption
from wort_cli.commands.shared.arguments.selection import open_home, usable_settings
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import COUNT, ID, PID, SECONDS, TEXT, Document, Field, list_of, one_of
from wort_cli.commands.shared.showing.printing import Form, print_document, print_records
from wort_cli.errors import DaemonNotRunning, UsageError, shown
from wort_cli.health.workers_file import SILENT, WORKER_STATES, WorkerSeen, read_workers
from wort_cli.model.queue_address import LOCAL, has_password, queue_url
from wort_cli.settings import Settings, load_settings
from wort_cli.system.daemon_lock import running_daemon

app = typer.Typer(invoke_without_command=True)
WORKER = (
    Field("host", TEXT, "The host on which it runs"),
    Field("pid", PID, "Its process there"),
    Field("state", one_of(WORKER_STATES), "Its state; `refused` if its version is another one"),
    Field("jobs", COUNT, "How many jobs it sketches at a time"),
    Field("running", list_of(COUNT), "The jobs that it has"),
    Field("silent", SECONDS, "How long ago the daemon heard of it"),
    Field("version", TEXT, "Its version of wort"),
    Field("worker", ID, "Its id"),
)
LISTED = Document(
    "worker list",
    "The workers of this home, as its daemon has seen them.",
    rows="workers",
    row=WORKER,
    columns=("host", "pid", "state", "jobs", "running", "silent", "version"),
)
DRAINED = Document(
    "worker drain",
    "The workers that take no more jobs.",
    head=(
        Field("host", TEXT, "The host"),
        Field("workers", list_of(ID), "The ids of its workers"),
        Field("message", TEXT, "What was done, as a sentence; its wording may change"),
    ),
)


@app.callback()
def worker(
    context: typer.Context,
    queue: Annotated[
        str,
        typer.Option("--queue", metavar="URL", help="Queue of the daemon (default: setting `queue`)."),
    ] = "",
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", metavar="N", min=1, max=1024, help="Jobs at a time (default: setting `jobs`)."),
    ] = None,
) -> None:
    """Run jobs of a daemon on another host.

    The daemon and its workers use the same queue: a PostgreSQL or Redis server. The worker runs until Ctrl-C or
    SIGTERM, which return its jobs, or until `wort worker drain`, after its jobs have ended.

    \b
    Examples:
      wort worker --queue postgresql://wort@db.example.org/wort --jobs 4
      wort worker list
      wort worker drain node7
    """
    if context.invoked_subcommand is not None:
        return
    settings = worker_settings(load_settings(), queue, jobs)
    from wort_cli.daemon.remote.host import serve_jobs

    serve_jobs(settings)


def worker_settings(settings: Settings, queue: str, jobs: int | None) -> Settings:
    """Return the settings with the options of the command line.  Raises UsageError if the queue cannot be used."""
    if has_password(queue):
        raise UsageError(
            "other users of this machine can see a password in a command line",
            "give it in WORT_QUEUE_PASSWORD, or in a file (setting `queue_password_file`)",
        )
    try:
        address = queue_url(queue) if queue else settings.queue
    except ValueError as error:
        raise UsageError(f"--queue: {error}") from None
    if address == LOCAL:
        raise UsageError(
            "a worker needs the address of the queue",
            "give --queue URL, or set `queue` (WORT_QUEUE); jobs of this machine are run by `wort daemon start`",
        )
    return replace(settings, queue=address, jobs=jobs or settings.jobs)


@app.command("list")
def list_(as_json: JsonOption = False, no_header: NoHeaderOption = False) -> None:
    """Show the workers of this home's daemon, on all hosts."""
    workers = known_workers(usable_settings())
    form = Form.of(as_json=as_json)
    print_records(LISTED, [record(each) for each in workers], form, header=not no_header)
    if form is Form.TERMINAL and not workers:
        render.notice("no worker is connected; start one on each host with `wort worker --queue URL`")


@app.command()
def drain(
    host: Annotated[str, typer.Argument(metavar="HOST", help="A host that `wort worker list` shows.")],
    as_json: JsonOption = False,
) -> None:
    """Let the workers of a host end after their jobs; they take no more."""
    settings, ledger = open_home()
    found = [each for each in known_workers(settings) if host in (each.host, render.printable(each.host))]
    if not found:
        raise UsageError(f"no worker runs on {shown(host)}", "`wort worker list` shows the workers and their hosts")
    known = {each.worker for each in known_workers(settings)}
    ledger.controls.set_drained({*(ledger.controls.drained & known), *(each.worker for each in found)})
    running = sum(len(each.running) for each in found)
    name = render.printable(host)
    when = f"after {render.count(running, 'job')}" if running else "now"
    done = f"{name} takes no more jobs; its worker ends {when}"
    if all(each.state == SILENT for each in found):
        silent = min(each.silent for each in found)
        done = f"{name} takes no more jobs; it gave no sign for {silent:,.0f} s"
        done += f": if it is gone, its jobs are queued again after {settings.worker_lease:,.0f} s (`worker_lease`)"
    if as_json:
        print_document(DRAINED, {"host": host, "workers": [each.worker for each in found], "message": done})
    else:
        render.result(done)


def known_workers(settings: Settings) -> list[WorkerSeen]:
    """Return the workers that the daemon of this home has seen.  Raises WortError if there is no such daemon."""
    if settings.queue == LOCAL:
        raise UsageError(
            "the workers of this home run on this machine", "`wort daemon status` shows them; see docs/workers.md"
        )
    if running_daemon(settings.lock_file) is None:
        raise DaemonNotRunning(hint="run this on the coordinator's host, where `wort daemon start` was run")
    found = read_workers(settings.workers_file)
    return found[0] if found else []


def record(worker: WorkerSeen) -> dict[str, Any]:
    """Return a worker as JSON has it."""
    return {field.key: getattr(worker, field.key) for field in WORKER} | {"running": list(worker.running)}
