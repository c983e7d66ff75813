"""`wort completion`: prints the script with which a shell completes the commands of wort."""

from typing import Annotated

import typer

from wort_cli.commands.shared.help.completion import SCRIPTS
from wort_cli.errors import UsageError, shown


def completion(
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
) -> None:
    """Print the completion script of a shell.

    The shell then completes commands, options, ids, groups, states, reasons and profiles.

    \b
    Examples:
      eval "$(wort completion bash)"      # in ~/.bashrc
      eval "$(wort completion zsh)"       # in ~/.zshrc, after compinit
      wort completion fish > ~/.config/fish/completions/wort.fish
    """
    if shell not in SCRIPTS:
        raise UsageError(f"there is no completion for {shown(shell)}", f"the shells are: {', '.join(SCRIPTS)}")
    typer.echo(SCRIPTS[shell], nl=False)
