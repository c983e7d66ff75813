"""`wort daemon`: starts, stops and controls the daemon.

No other command imports the package `wort_cli.daemon`, and each subcommand imports only what it needs.
"""

import time
from typing import Annotated

import typer

from wort_cli.commands.shared.arguments.options import JsonOption, NoHeaderOption, SelectGroupOption
from wort_cli.commands.shared.arguments.selection import make_directories_if_possible, open_home, usable_settings
from wort_cli.commands.shared.daemon.daemon_action import print_action
from wort_cli.commands.shared.daemon.daemon_status import DOCUMENT, recently_ended, status_document, status_lines
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.printing import print_document, print_facts
from wort_cli.errors import DaemonAlreadyRunning, ExitCode, UsageError, WortError, shown
from wort_cli.health.status import STOPPED, UNHEALTHY, read_status
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.queue_address import LOCAL
from wort_cli.settings import Settings, load_settings

app = typer.Typer(help="Start, stop and control the daemon.", no_args_is_help=True)
ServeOption = Annotated[
    bool, typer.Option("--serve", help="Start the HTTP server too, and keep it running (settings `serve_...`).")
]
ServerUnitOption = Annotated[
    bool, typer.Option("--server", help="The unit of `wort serve`, instead of that of the daemon.")
]
DEFAULT_JOBS, MOST_JOBS = "default", 1024
"""The word that makes the setting `jobs` count again, and the largest number of jobs at a time."""


@app.command()
def start(
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Run in this terminal until Ctrl-C, and log to it.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="With --foreground: log to the file only.")] = False,
    with_server: ServeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Start the daemon in the background.

    The daemon runs the queued jobs, and those that are queued later, until `wort daemon stop`. With --serve, it also
    starts `wort serve` and keeps it running; the settings `serve_...` say how.
    """
    settings = load_settings()
    with_server = with_server or settings.serve
    if with_server:
        check_can_serve(settings)
    if foreground and as_json:
        raise UsageError("--foreground and --json exclude each other")
    if foreground:
        from wort_cli.daemon.service import serve

        serve(settings, foreground=not quiet, with_server=with_server)
        return
    print_action("start", started(settings, with_server=with_server), settings, as_json=as_json)


def check_can_serve(settings: Settings) -> None:
    """Raise WortError if no server could be started, because a package is missing or it must not run so."""
    from wort_cli.commands.serve import server_modules

    options, _, check_start = server_modules()
    if notice := check_start(settings, options.of(settings), time.time()):
        render.notice(notice)


def started(settings: Settings, *, with_server: bool) -> str:
    """Start the daemon; return what was done, as a sentence for each thing."""
    from wort_cli.daemon.control import runs_server, server_report
    from wort_cli.daemon.control import start as start_daemon

    try:
        daemon = start_daemon(settings, with_server=with_server)
    except DaemonAlreadyRunning as running:
        if with_server and not runs_server(settings):
            render.notice("the daemon runs without the HTTP server: `wort daemon restart --serve` starts both")
        return running.sentence
    _, ledger = open_home()
    if ledger.controls.paused:
        render.notice("the queue is paused: `wort daemon resume`")
    where = f"{render.count(ledger.controls.job_limit(settings.jobs), 'job')} at a time"
    if settings.queue != LOCAL:
        where = "for workers on other hosts: `wort worker`"
    done = f"the daemon is running (process {daemon.pid}), {where}"
    if not with_server:
        return done
    report = server_report(settings)
    if report is None or not report.server_url:
        why = report.server_error if report else "it has not answered yet"
        render.notice(f"the HTTP server does not run: {why}; see `wort daemon status`")
        return done
    if report.server_link:
        render.notice(f"sign in once, to queue and submit: {report.server_link}")
    return f"{done}\nserving {report.server_url} (process {report.server_pid})"


@app.command()
def stop(
    now: Annotated[
        bool, typer.Option("--now", help="Kill the daemon; its jobs are queued again at its next start.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Stop the daemon; its running jobs are queued again.

    Finished slices are kept, so that a job continues where it was when the daemon starts again.
    """
    settings = usable_settings()
    print_action("stop", stopped(settings, now=now), settings, as_json=as_json)


def stopped(settings: Settings, *, now: bool) -> str:
    """Stop the daemon; return what was done, as a sentence."""
    from wort_cli.daemon.control import stop as stop_daemon

    daemon = stop_daemon(settings, now=now)
    return f"the daemon (process {daemon.pid}) has stopped" if daemon else "no daemon was running"


@app.command()
def restart(with_server: ServeOption = False, as_json: JsonOption = False) -> None:
    """Restart the daemon, or start it if it is not running.

    If a new daemon could not start, for example because of a wrong setting, the running one is not stopped. If the
    running one has an HTTP server, the new one has one too.
    """
    from wort_cli.daemon.control import check_can_start, runs_server

    settings = load_settings()
    check_can_start(settings)
    with_server = with_server or settings.serve or runs_server(settings)
    if with_server:
        check_can_serve(settings)
    sentences = stopped(settings, now=False), started(settings, with_server=with_server)
    print_action("restart", "\n".join(sentences), settings, as_json=as_json)


@app.command()
def reload(as_json: JsonOption = False) -> None:
    """Reload the settings without stopping jobs.

    Running jobs keep the settings with which they started.
    """
    from wort_cli.daemon.control import reload as reload_daemon

    settings = load_settings()
    daemon = reload_daemon(settings)
    print_action("reload", f"the daemon (process {daemon.pid}) reloads its settings", settings, as_json=as_json)


@app.command()
def status(as_json: JsonOption = False, no_header: NoHeaderOption = False) -> None:
    """Show the health of the daemon, the queue and the disks.

    The exit code is 0 if the daemon runs, 3 if it is stopped, 1 if it is unhealthy.
    """
    settings = usable_settings()
    make_directories_if_possible(settings)
    ledger = Ledger(settings.ledger_file, reading=True)
    found = read_status(settings, ledger)
    document = status_document(found, settings, recently_ended(ledger) if found.queue is not None else {})
    if as_json:
        print_document(DOCUMENT, document)
    else:
        print_facts(status_lines(document), header=not no_header)
    if found.state == STOPPED:
        raise typer.Exit(int(ExitCode.UNAVAILABLE))
    if found.state == UNHEALTHY:
        raise typer.Exit(int(ExitCode.SOME_FAILED))


@app.command()
def pause(group: SelectGroupOption = "", as_json: JsonOption = False) -> None:
    """Start no further jobs; running jobs continue.

    Without --group, the whole queue is paused.
    """
    settings, ledger = open_home()
    if group:
        ledger.controls.pause_group(group)
        done = f"paused group {group}; none of its jobs starts until `wort daemon resume -g {group}`"
    else:
        ledger.controls.pause()
        done = "paused; running jobs continue, no other job starts until `wort daemon resume`"
    print_action("pause", done, settings, as_json=as_json)


@app.command()
def resume(group: SelectGroupOption = "", as_json: JsonOption = False) -> None:
    """Start jobs again after `wort daemon pause`.

    A group that was paused with --group stays paused until it is resumed with --group.
    """
    settings, ledger = open_home()
    if group:
        was_paused = ledger.controls.resume_group(group)
        done = f"resumed group {group}" if was_paused else f"group {group} was not paused"
    else:
        ledger.controls.resume()
        done = "resumed"
    print_action("resume", done, settings, as_json=as_json)
    if not group and (still := ledger.controls.paused_groups()):
        render.notice(f"these groups are still paused: {', '.join(still)}")


@app.command()
def jobs(
    number: Annotated[
        str, typer.Argument(metavar="N|default", help="Number of jobs, or `default` for that of the setting `jobs`.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Set the number of jobs that run at a time.

    It takes effect at once, and replaces the setting `jobs` until `wort daemon jobs default`. Each job sketches with
    CORES / N threads, unless the setting `threads` is given.
    """
    if number != DEFAULT_JOBS and not (number.isascii() and number.isdigit() and 1 <= int(number) <= MOST_JOBS):
        raise UsageError(
            f"{shown(number)} is not a number of jobs", f"give a number from 1 to {MOST_JOBS}, or `default`"
        )
    settings, ledger = open_home()
    ledger.controls.set_job_limit(None if number == DEFAULT_JOBS else int(number))
    limit = ledger.controls.job_limit(settings.jobs)
    origin = ", by the setting `jobs`" if number == DEFAULT_JOBS else ", until `wort daemon jobs default`"
    print_action("jobs", f"{render.count(limit, 'job')} at a time{origin}", settings, as_json=as_json)


@app.command()
def install(server: ServerUnitOption = False, as_json: JsonOption = False) -> None:
    """Install and start a systemd user unit for the daemon.

    With --server, the unit runs `wort serve` with the settings `serve_...`, whether a daemon runs or not.
    """
    from wort_cli.daemon import systemd

    settings = usable_settings()
    if server:
        check_can_serve(settings)
    path, left = systemd.install(systemd.SERVER if server else systemd.DAEMON)
    print_action("install", f"wrote {path}", settings, as_json=as_json, path=path)
    what = "the server" if server else "the daemon"
    if left:
        raise WortError(left, f"the unit was written, but {what} was not started")
    render.notice(f"{what} is running and will start with your session; `loginctl enable-linger` starts it at boot")


@app.command()
def uninstall(server: ServerUnitOption = False, as_json: JsonOption = False) -> None:
    """Stop and remove the systemd user unit."""
    from wort_cli.daemon import systemd

    path, left = systemd.uninstall(systemd.SERVER if server else systemd.DAEMON)
    print_action("uninstall", f"removed {path}", usable_settings(), as_json=as_json, path=path)
    if left:
        running = "`systemctl --user status wort-serve`" if server else "`wort daemon stop`"
        what = "a server" if server else "a daemon"
        raise WortError(left, f"the unit was removed; {what} that it started may still be running: {running}")
