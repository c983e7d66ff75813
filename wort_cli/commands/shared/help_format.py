"""The layout of `--help`."""

from typing import Any

from typer.core import TyperArgument, TyperCommand


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
