"""`wort daemon`: start, stop and steer the daemon.  The only command that imports it, and only when it must."""

from typing import Annotated

import typer

from wort_cli.commands.shared import render
from wort_cli.commands.shared.context import GroupOption, JsonOption, begin
from wort_cli.commands.shared.status_view import as_document, as_facts, rates_of
from wort_cli.errors import DaemonAlreadyRunning, ExitCode, WortError
from wort_cli.health.status import STOPPED, UNHEALTHY, read_status
from wort_cli.settings import load_settings

app = typer.Typer(help="Start, stop and steer the daemon.", no_args_is_help=True)


@app.command()
def start(
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay in this terminal; Ctrl-C ends it.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Log to the file only.")] = False,
) -> None:
    """Start the daemon."""
    settings = load_settings()
    if foreground:
        from wort_cli.daemon.service import serve

        serve(settings, foreground=not quiet)
        return
    from wort_cli.daemon.control import start as start_daemon

    try:
        daemon = start_daemon(settings)
    except DaemonAlreadyRunning as running:
        render.result(running.sentence)
        return
    _, ledger = begin()
    jobs = ledger.controls.job_limit(settings.jobs)
    render.result(f"the daemon runs (process {daemon.pid}), {render.count(jobs, 'job')} at a time")
    if ledger.controls.paused:
        render.say("it is paused: `wort daemon resume`")


@app.command()
def stop(
    now: Annotated[bool, typer.Option("--now", help="Kill it; its jobs are taken up when it starts again.")] = False,
) -> None:
    """Stop the daemon; its running jobs go back to the queue."""
    from wort_cli.daemon.control import stop as stop_daemon

    daemon = stop_daemon(load_settings(), now=now)
    render.result(f"the daemon (process {daemon.pid}) has ended" if daemon else "no daemon was running")


@app.command()
def restart() -> None:
    """Stop the daemon if it runs, and start it; if it could not start, what runs is left alone."""
    from wort_cli.daemon.control import check_can_start

    check_can_start(load_settings())
    stop(now=False)
    start()


@app.command()
def reload() -> None:
    """Have the daemon read its settings anew; jobs that run go on as they began."""
    from wort_cli.daemon.control import reload as reload_daemon

    daemon = reload_daemon(load_settings())
    render.result(f"the daemon (process {daemon.pid}) reads its settings anew")


@app.command()
def status(as_json: JsonOption = False) -> None:
    """Show how the daemon is; exit code 3 if it is stopped, 1 if it is unhealthy."""
    settings, ledger = begin()
    found = read_status(settings, ledger)
    shown = as_document(found, settings, rates_of(ledger) if found.queue is not None else {})
    if as_json:
        render.document(shown)
    else:
        render.facts(as_facts(shown))
    if found.state == STOPPED:
        raise typer.Exit(int(ExitCode.UNAVAILABLE))
    if found.state == UNHEALTHY:
        raise typer.Exit(int(ExitCode.SOME_FAILED))


@app.command()
def pause(group: GroupOption = "") -> None:
    """Begin no more jobs, or none of a group; those that run go on."""
    _, ledger = begin()
    if group:
        ledger.controls.pause_group(group)
        render.result(f"paused {group}; no other job of it begins until `wort daemon resume -g {group}`")
        return
    ledger.controls.pause()
    render.result("paused; jobs that run go on, no other begins until `wort daemon resume`")


@app.command()
def resume(group: GroupOption = "") -> None:
    """Begin jobs again, all or those of a group; a group that was paused by itself stays so until it is named."""
    _, ledger = begin()
    if group:
        was_paused = ledger.controls.resume_group(group)
        render.result(f"resumed {group}" if was_paused else f"{group} was not paused")
        return
    ledger.controls.resume()
    render.result("resumed")
    if still := ledger.controls.paused_groups():
        render.say(f"these groups are paused still: {', '.join(still)}")


@app.command()
def jobs(number: Annotated[int, typer.Argument(min=1, max=1024, help="Jobs at a time.")]) -> None:
    """Set how many jobs run at a time, now and in future."""
    _, ledger = begin()
    ledger.controls.set_job_limit(number)
    render.result(f"{render.count(number, 'job')} at a time")


@app.command()
def install() -> None:
    """Install and start a systemd unit for this user."""
    from wort_cli.daemon.systemd import install as install_unit

    path, left = install_unit()
    render.result(f"wrote {path}")
    if left:
        raise WortError(left, "the unit is written, but the daemon was not started")
    render.say("the daemon runs and will start with your session; `loginctl enable-linger` starts it at boot")


@app.command()
def uninstall() -> None:
    """Stop the systemd unit and remove it."""
    from wort_cli.daemon.systemd import uninstall as uninstall_unit

    path, left = uninstall_unit()
    render.result(f"removed {path}")
    if left:
        raise WortError(left, "the unit is removed; a daemon that it started may still run: `wort daemon stop`")
