"""Writes docs/commands.md: `make docs`.

The document is made from the code: the commands from the Typer application, then `setting_docs()`,
`failure.TABLE` and `errors.ExitCode`.  tests/unit/test_reference.py compares the document with all of them.
"""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

import typer

from scripts.setting_docs import setting_docs
from wort_cli.cli import program
from wort_cli.errors import ExitCode
from wort_cli.model.failure import TABLE

WIDTH = 100
"""Columns of the help texts."""
INTRODUCTION = """\
# Commands

Every command writes its result to stdout and messages for the user to stderr. On a terminal, the result is a table and
progress is shown live. In a pipe, the result is lines separated by tabs, with a header. With `--json`, it is one JSON
document. [Output for programs](output.md) describes both."""
SETTINGS = """\
## Settings

A command-line option overrides the environment variable, which overrides `config.toml` (`wort config path` prints its
path), which overrides the default. `wort config show` shows the values in effect. `WORT_HOME` moves all files of wort
below one directory."""
REASONS = """\
## Reasons

The reason of a job explains why it has no signature. The disposition is what happens to the job: *retry*: it waits and
is tried again automatically, a limited number of times or for a limited time; *failed*: it fails, and a user has to fix
the cause; *unavailable*: the run has no signature; *note*: the job is done, and the reason explains an empty sketch."""
EXIT_CODES = {
    ExitCode.OK: "success; also if the signature exists already",
    ExitCode.SOME_FAILED: "some jobs failed or were cancelled, or an error has no code of its own; "
    "`wort sync check`: the stores differ; "
    "`wort daemon status`: the daemon is unhealthy; `wort doctor`: there is a problem",
    ExitCode.USAGE: "wrong usage or an invalid setting; nothing was changed",
    ExitCode.UNAVAILABLE: "all requested runs are unavailable, or, with `--strict`, some; "
    "`wort daemon status`: the daemon is stopped",
    ExitCode.NO_DAEMON: "the command needs the daemon, and it is not running",
    ExitCode.MISMATCH: "a verification found a mismatch",
    ExitCode.NOT_A_SIGNATURE: "the file is not a signature, or was refused as a submission",
    ExitCode.TEMPORARY: "a temporary problem, such as a full disk or an unreachable server; try again later",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C",
}


def commands(
    command: Any, path: tuple[str, ...], width: int, parent: Any = None
) -> Iterator[tuple[tuple[str, ...], Any, str]]:
    """Yield a command and all its subcommands: the words that call it, the command itself, and its help text."""
    names = {"help_option_names": command.context_settings.get("help_option_names")}
    context = command.context_class(command, info_name=path[-1], parent=parent, terminal_width=width, **names)
    help_text = "\n".join(line.rstrip() for line in command.get_help(context).strip().splitlines())
    yield path, command, help_text
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from commands(command.get_command(context, name), (*path, name), width, context)


def all_commands(width: int = WIDTH) -> list[tuple[tuple[str, ...], Any, str]]:
    """Return every command of `wort`, the program itself first; `width` is that of the help texts."""
    return list(commands(typer.main.get_command(program()), ("wort",), width))


def table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table in Markdown."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def reference() -> str:
    """Return the whole document."""
    parts = [INTRODUCTION]
    for path, _, help_text in all_commands():
        level = "##" if len(path) < 3 else "###"
        parts.append(f"{level} {' '.join(path)}\n\n```text\n{help_text}\n```")
    settings = [(f"`{item.name}`", f"`{item.variable}`", item.default, item.description) for item in setting_docs()]
    parts += [SETTINGS, table(("setting", "variable", "default", "description"), settings)]
    reasons = [(f"`{reason}`", str(kind), sentence, hint) for reason, (kind, sentence, hint) in TABLE.items()]
    parts += [REASONS, table(("reason", "disposition", "meaning", "what to do"), reasons)]
    exit_codes = [(str(int(code)), EXIT_CODES[code]) for code in ExitCode]
    parts += ["## Exit codes", table(("code", "meaning"), exit_codes)]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
