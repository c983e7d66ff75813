"""The settings as the documentation shows them."""

from dataclasses import Field, dataclass, fields
from typing import Any

from wort_cli.settings import Settings, variable_of


@dataclass(frozen=True)
class SettingDoc:
    """A setting as the documentation shows it."""

    name: str
    variable: str
    """The environment variable."""
    default: str
    """The default as a user would type it, `empty`, or the description of a computed default."""
    description: str


def setting_docs() -> tuple[SettingDoc, ...]:
    """Return all settings, in the order of `Settings`."""
    return tuple(
        SettingDoc(item.name, variable_of(item.name), default_text(item), item.metadata["description"])
        for item in fields(Settings)
        if "parse" in item.metadata
    )


def default_text(item: Field[Any]) -> str:
    """Return the default of a setting as text."""
    if item.metadata["computed"]:
        return str(item.metadata["computed"])
    if isinstance(item.default, bool):
        return str(item.default).lower()
    if isinstance(item.default, tuple):
        return " ".join(map(str, item.default)) or "empty"
    return f"{item.default:.15g}" if isinstance(item.default, float) else str(item.default or "empty")
