"""The `wort` program: registers the commands, and turns every error into a message and an exit code.

A command raises a WortError; this is the only module that prints errors and exits.
"""

import errno
import gc

gc.set_threshold(100_000)  # start-up makes many objects and few cycles; to search for them would take a tenth of it

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # else numpy starts a thread for each core; wort has no use for them

import sys
from collections.abc import Collection, Sequence
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import Annotated

import typer

import wort_cli
from wort_cli.commands.shared.help.help_format import CommandList, PlainCommand
from wort_cli.commands.shared.showing import render
from wort_cli.errors import ExitCode, Terminated, UsageError, WortError, shown
from wort_cli.system.network_disks import check_answers, network_mounts
from wort_cli.system.private_files import use_private_umask
from wort_cli.system.stuck_threads import stuck_threads

LONGEST_OPTION = 4096
"""Characters.  Typer would print an unknown option in full, so that longer ones are refused first."""
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
OWN_OPTIONS = ("--version", "--debug", "--help", "-h")
"""The options that precede a command."""
COMMANDS = (
    "compute", "runs", "plan", "batch", "fetch", "submit", "verify", "status", "view", "ls", "export", "catalog",
    "merge", "wait", "logs", "cancel", "retry", "forget", "rm", "backup", "doctor", "import", "serve", "completion",
    "help",
)  # fmt: skip
"""Functions of this name in modules of this name; `import` is a word of Python, and they are named `import_`."""
GROUPS = ("follow", "sync", "metadata", "profile", "daemon", "worker", "config", "token")
"""Modules of commands with subcommands."""
UNSUPERVISED = frozenset({"", "_complete", "completion", "config", "daemon", "help", "serve", "worker"})
"""Commands that end soon, run forever, or give the terminal to an editor."""


def program(names: Collection[str] = (*COMMANDS, *GROUPS)) -> typer.Typer:
    """Return the Typer application with some commands.  Importing all of them would take half of the start-up."""
    app = typer.Typer(
        name="wort",
        cls=CommandList,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(wort)
    groups = [app]
    for name in (name for name in (*COMMANDS, *GROUPS) if name in names):
        identifier = name + "_" * iskeyword(name)
        module = import_module(f"wort_cli.commands.{identifier}")
        if name in COMMANDS:
            app.command(name)(getattr(module, identifier))
        else:
            app.add_typer(module.app, name=name)
            groups.append(module.app)
    for group in groups:
        for registered in group.registered_commands:
            registered.cls = PlainCommand
    return app


def needed_commands(arguments: Sequence[str]) -> Collection[str]:
    """Return the commands that a command line may need: all of them for a list of commands, or a wrong name."""
    if arguments in ([], ["--version"]):
        return ()
    known = arguments[0] in (*COMMANDS, *GROUPS) and arguments[0] != "help"
    return arguments[:1] if known else (*COMMANDS, *GROUPS)


def print_version(requested: bool) -> None:
    """Print the version and exit, if --version was given."""
    if requested:
        typer.echo(f"wort {wort_cli.__version__}")
        raise typer.Exit


def wort(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Print the traceback of an error; give it before the command.")
    ] = False,
) -> None:
    """Compute, store, publish and verify sourmash signatures of public sequencing runs.

    Without a command, show the status.

    \b
    First steps:
      wort doctor                     check the installation
      wort compute SRR139146 --now    compute one signature in this process
      wort daemon start               start the daemon, which runs queued jobs
      wort compute --from-file LIST   queue many runs
    """
    context.obj = debug
    if context.invoked_subcommand is None:
        from wort_cli.commands.status import status

        status()


def main() -> None:
    """Run the command line and exit with its code."""
    use_private_umask()
    code = run(sys.argv[1:])
    stuck_threads.end_if_stuck(code)
    gc.freeze()  # Python would search all objects for cycles before it ends
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run a command line; print its error, if any; return its exit code."""
    debug = "--debug" in arguments[:1]
    try:
        if next(iter(arguments), "") not in UNSUPERVISED and network_mounts():
            from wort_cli.system.supervisor import run_in_child

            run_in_child()
        code = complete(arguments[1:]) if arguments[:1] == ["_complete"] else run_typer(arguments)
        sys.stdout.flush()
        return code
    except WortError as error:
        if debug:
            print_traceback()
        render.notice(f"wort: {error.sentence}" + (f"\n  {error.hint}" if error.hint else ""))
        return int(error.exit_code)
    except Terminated as end:
        sys.stderr.write(f"wort: terminated by {end}; unfinished jobs stay in the queue\n")
        return int(ExitCode.TEMPORARY)
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:  # the reader of stdout has exited, as `head` does
        abandon_output()
        return int(ExitCode.OK)
    except Exception as error:
        if debug:
            print_traceback()
        return explain_unexpected(error)


def explain_unexpected(error: Exception) -> int:
    """Print an error that no command foresees, such as a full disk below stdout; return the exit code."""
    if isinstance(error, OSError) and error.errno in NO_SPACE and not error.filename:
        abandon_output()
        sys.stderr.write(f"wort: the output can't be written: {error.strerror}\n")
        sys.stderr.write("  free some space, then run the same command again\n")
        return int(ExitCode.TEMPORARY)
    sys.stderr.write(f"wort: unexpected error: {shown(str(error), 500)}\n")
    sys.stderr.write("  `wort --debug ...` prints the traceback\n")
    return int(ExitCode.SOME_FAILED)


def abandon_output() -> None:
    """Write what is left of stdout nowhere, because it can't be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complete(words: Sequence[str]) -> int:
    """Print what the last word may become, for the scripts of `wort completion`."""
    from wort_cli.commands.shared.help.completion import offers

    sys.stdout.writelines(f"{offer}\n" for offer in offers(words))
    return int(ExitCode.OK)


def print_traceback() -> None:
    """Print the traceback of the present error to stderr."""
    import traceback

    traceback.print_exc()


def check_place_of_options(arguments: Sequence[str]) -> None:
    """Raise UsageError if an option of a command precedes it."""
    first, *rest = arguments[1:] if arguments[:1] == ["--debug"] else arguments or [""]
    command = next((word for word in rest if word in (*COMMANDS, *GROUPS)), "")
    if first.startswith("-") and first not in OWN_OPTIONS and command:
        raise UsageError(
            f"{shown(first)} is no option of `wort` itself", f"give options after the command: wort {command} ..."
        )


def run_typer(arguments: list[str]) -> int:
    """Have Typer run a command; return its exit code.  A WortError passes through."""
    for word in arguments:
        if word.startswith("-") and len(word) > LONGEST_OPTION:
            raise UsageError(f"there is no option {shown(word)}")
        if "/" in word:  # it may be a path
            check_answers([Path(word.partition("=")[2] if word.startswith("-") else word)])
    check_place_of_options(arguments)
    stdout = sys.stdout
    try:
        program(needed_commands(arguments))(arguments, prog_name="wort")
    except SystemExit as end:
        if sys.stdout is not stdout:  # Typer replaces stdout after a broken pipe, and exits with 1
            sys.stdout = stdout
            raise BrokenPipeError from end
        return int(end.code or 0)
    return int(ExitCode.OK)
