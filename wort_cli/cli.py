"""The `wort` command: its commands, and the one place where an error becomes a sentence and an exit code."""

import os
import sys
import traceback
from typing import Annotated

import typer

import wort_cli
from wort_cli.commands import config, daemon, sync
from wort_cli.commands.backup import backup
from wort_cli.commands.cancel import cancel
from wort_cli.commands.compute import compute
from wort_cli.commands.doctor import doctor
from wort_cli.commands.logs import logs
from wort_cli.commands.retry import retry
from wort_cli.commands.status import status
from wort_cli.commands.submit import submit
from wort_cli.commands.verify import verify
from wort_cli.commands.view import view
from wort_cli.commands.wait import wait
from wort_cli.errors import ExitCode, Terminated, UsageError, WortError, shown

LONGEST_OPTION = 4096
"""Of a longer one Typer would show every letter."""

# `--help` alone asks for help: `-h` must stay a thing that no accession can be mistaken for.
app = typer.Typer(name="wort", add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
for command in (compute, submit, verify, status, view, wait, logs, cancel, retry, backup, doctor):
    app.command()(command)
app.add_typer(sync.app, name="sync")
app.add_typer(daemon.app, name="daemon")
app.add_typer(config.app, name="config")


def show_version(asked: bool) -> None:
    """For --version."""
    if asked:
        typer.echo(f"wort {wort_cli.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def wort(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where in the code an error came from.")] = False,
) -> None:
    """Compute, keep and check sourmash signatures of public sequencing runs.

    Without a command: the status.
    """
    context.obj = debug
    if context.invoked_subcommand is None:
        status()


def main() -> None:
    """Run the command line; every error ends here."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command line; return its exit code."""
    debug = "--debug" in arguments[:1]
    try:
        code = run_typer(arguments)
        sys.stdout.flush()
        return code
    except WortError as error:
        if debug:
            traceback.print_exc()
        sys.stderr.write(f"wort: {error.sentence}\n" + (f"  {error.hint}\n" if error.hint else ""))
        return int(error.exit_code)
    except Terminated as end:
        sys.stderr.write(f"wort: ended by {end}; what was not done is in the queue\n")
        return int(ExitCode.TEMPORARY)
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.OK)
    except Exception as error:
        if debug:
            traceback.print_exc()
        sys.stderr.write(f"wort: something unexpected: {type(error).__name__}: {error}\n")
        sys.stderr.write("  `wort --debug ...` shows where\n")
        return int(ExitCode.SOME_FAILED)


def run_typer(arguments: list[str]) -> int:
    """Have Typer run a command; it ends with help, a usage error, an exit code of ours, or an error of ours."""
    for word in arguments:
        if word.startswith("-") and len(word) > LONGEST_OPTION:
            raise UsageError(f"there is no option {shown(word)}")
    stdout = sys.stdout
    try:
        app(arguments)
    except SystemExit as end:
        if sys.stdout is not stdout:  # what Typer does about a broken pipe, besides exit code 1
            sys.stdout = stdout
            raise BrokenPipeError from end
        return int(end.code or 0)
    return int(ExitCode.OK)
