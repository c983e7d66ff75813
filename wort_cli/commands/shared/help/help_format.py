"""The layout of `--help`."""

from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup

SECTIONS = {
    "Compute signatures": ("compute", "plan", "batch", "runs", "follow", "metadata", "fetch", "profile"),
    "Follow and control jobs": ("status", "wait", "logs", "cancel", "retry", "forget"),
    "Use signatures": ("ls", "view", "export", "catalog", "merge", "rm"),
    "Exchange signatures": ("sync", "submit", "verify", "import", "serve", "token"),
    "Manage this home": ("daemon", "worker", "config", "doctor", "backup", "completion", "help"),
}
"""The sections of the list of commands."""


class CommandList(TyperGroup):
    """The program, whose help lists the commands by what people want to do."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands into the help text; their names have one width."""
        commands = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        width = max(map(len, commands), default=0)
        for title, names in SECTIONS.items():
            shown = ((name, commands[name]) for name in names)
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(width), c.get_short_help_str(formatter.width - 6 - width)) for name, c in shown if c]
                )


class PlainCommand(TyperCommand):
    """A command whose help shows an argument by its metavar, without a Python type such as `<list[str]>`."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the parts of the usage line; dots follow an argument that may be repeated."""
        arguments = (parameter for parameter in self.params if isinstance(parameter, TyperArgument))
        repeated = {argument.make_metavar(ctx, usage=True) for argument in arguments if argument.nargs == -1}
        return [f"{piece}..." if piece in repeated else piece for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments and options into the help text."""
        for parameter in self.params:
            if isinstance(parameter, TyperArgument):
                vars(parameter)["display_type_rich"] = no_type  # Typer has no option for this
        super().format_options(ctx, formatter)


def no_type(ctx: Any) -> None:
    """Return no type to display."""
