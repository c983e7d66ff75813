"""The fields of what commands print: the type, the meaning and the unit of each value, once for all forms.

A record is a mapping of JSON values with every key of its fields; a value that is not known, or that does not apply, is
None.  `printing` writes records as JSON, as the lines of a pipe, or as a terminal's table.  `schemas` makes the JSON
Schema files of the documentation from the same fields.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wort_cli.model.units import format_bytes, format_count, format_duration, format_share, local_time

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """The values of a field: their JSON Schema, their unit, and their text for a person."""

    schema: Mapping[str, Any]
    show: Callable[[Any], str] = str
    unit: str = ""
    kept: bool = False
    """Whether a narrow terminal must not fold the values, so that they can be copied."""
    place: bool = False
    """Whether the values are paths or URLs: kept in one line, but left out of several lines that they would break."""
    least: int = 12
    """Characters to which a narrow terminal may fold the values; with less space, the column is left out."""
    right: bool = False
    """Whether a table aligns the values to the right."""


@dataclass(frozen=True)
class Field:
    """A key of a record.  An `optional` one may be null; `title` is its header on a terminal."""

    key: str
    kind: Kind
    about: str
    optional: bool = False
    title: str = ""

    @property
    def header(self) -> str:
        """The header of its column on a terminal."""
        return self.title or self.key.removesuffix("_at").replace("_", " ")

    def text(self, value: Any) -> str:
        """Return a value for a person; empty for None."""
        return "" if value is None else self.kind.show(value)


@dataclass(frozen=True)
class Document:
    """The output of a command: some keys, and usually a list of records, which comes last."""

    command: str
    """The command; empty for a table that is not JSON of its own."""
    about: str
    head: tuple[Field, ...] = ()
    rows: str = ""
    """The key of the list; empty if there is none."""
    row: tuple[Field, ...] = ()
    columns: tuple[str, ...] = ()
    """The keys of a record that a table and the lines of a pipe have."""

    def fields_of(self, columns: Iterable[str]) -> list[Field]:
        """Return the fields of some keys of a record."""
        known = {field.key: field for field in self.row}
        return [known[key] for key in columns]


def one_of(values: Iterable[str]) -> Kind:
    """Return the kind of codes: one of some words."""
    words = [str(value) for value in values]
    return Kind({"enum": words}, least=max(map(len, words)))


def list_of(kind: Kind) -> Kind:
    """Return the kind of lists."""
    return Kind(
        {"type": "array", "items": dict(kind.schema)},
        lambda values: ("," if kind.right else ", ").join(map(kind.show, values)),
    )


def map_of(kind: Kind) -> Kind:
    """Return the kind of objects with keys that are not known in advance, such as reasons."""
    return Kind({"type": "object", "additionalProperties": dict(kind.schema)})


def record_of(*fields: Field) -> Kind:
    """Return the kind of objects with fields."""
    return Kind(object_schema(fields))


def object_schema(fields: Iterable[Field]) -> dict[str, Any]:
    """Return the JSON Schema of a record: all keys, and no other."""
    properties = {field.key: field_schema(field) for field in fields}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def field_schema(field: Field) -> dict[str, Any]:
    """Return the JSON Schema of a field: meaning, unit and type."""
    unit = f", in {field.kind.unit}" if field.kind.unit else ""
    schema = dict(field.kind.schema)
    if field.optional:
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
        else:
            schema["type"] = [schema["type"], "null"]
    return {"description": f"{field.about}{unit}.", **schema}


def below_home(path: str) -> str:
    """Return a path for a person: as a shell has it, with ~ for the user's home directory."""
    home = f"{Path.home()}/"
    return f"~/{path.removeprefix(home)}" if path.startswith(home) else path


TEXT = Kind({"type": "string"})
PROSE = Kind({"type": "string"}, least=24)
ID = Kind({"type": "string"}, kept=True)
ID_IF_SPACE = replace(ID, kept=False, least=sys.maxsize)
"""An id that a narrow terminal leaves out, where other columns say more."""
NUMBER = Kind({"type": "integer"}, format_count, right=True)
NOT_ZERO = Kind({"type": "integer"}, lambda number: f"{number:,}" if number else "", right=True)
"""A number of which a person needs no 0."""
JOB = Kind({"type": "integer", "minimum": 1}, str, kept=True, right=True)
PID = Kind({"type": "integer", "minimum": 0})
COUNT = Kind({"type": "integer", "minimum": 0}, format_count, right=True)
BYTES = Kind({"type": "integer", "minimum": 0}, format_bytes, "bytes", right=True)
BASES = Kind({"type": "integer", "minimum": 0}, format_count, "bases", right=True)
SECONDS = Kind({"type": "number", "minimum": 0}, format_duration, "seconds")
SHARE = Kind({"type": "number", "minimum": 0, "maximum": 1}, format_share)
RATIO = Kind({"type": "number"}, lambda value: f"{value:.3g}", right=True)
BOOLEAN = Kind({"type": "boolean"}, lambda value: "yes" if value else "no")
TIME = Kind(
    {"type": "string", "format": "date-time", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
    local_time,
    "ISO 8601 with a time zone (UTC)",
    least=len("2026-11-27 10:00:00"),
)
DATE = replace(TIME, show=lambda when: local_time(when).partition(" ")[0], least=len("2026-11-27"))
"""A time of which a person needs only the day."""
PATH = Kind({"type": "string"}, below_home, kept=True, place=True)
"""An absolute path, or a URL."""
PATH_IF_SPACE = replace(PATH, kept=False, least=sys.maxsize)
"""A path that a narrow terminal leaves out, where other columns say more."""

MESSAGE = Field("message", PROSE, "A sentence for people; its wording may change", optional=True)
PATH_FIELD = Field("path", PATH, "The file, or the URL (s3://...) of what only the bucket has", optional=True)
