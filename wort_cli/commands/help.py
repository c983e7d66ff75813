"""`wort help`: shows the help of a command."""

from typing import Annotated, Any

import typer

from wort_cli.errors import UsageError, shown


def help(
    context: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="A command, such as compute or daemon start.")
    ] = None,
) -> None:
    """Show the help of a command, as its option --help does."""
    import difflib

    parent: Any = context.find_root()
    command: Any = parent.command
    for word in words or []:
        found = command.get_command(parent, word) if hasattr(command, "get_command") else None
        if found is None:
            names = command.list_commands(parent) if hasattr(command, "list_commands") else []
            near = difflib.get_close_matches(word, names, 1)
            raise UsageError(
                f"there is no command {shown(word)}", f"did you mean {near[0]}?" if near else "see `wort -h`"
            )
        parent = found.context_class(found, info_name=word, parent=parent)
        command = found
    typer.echo(command.get_help(parent))
