"""The text of config.toml: reads it, and changes single values; comments, order and all other lines stay.

1. The lines of a key are found: its line, and as many more as its value takes.
2. They are replaced, removed, or added where the table of the key ends.
3. The new text is parsed.  A change that would have any other effect raises ValueError (for instance, of a key that
   is part of an inline table).

`settings` knows which keys exist and what their values may be.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from wort_cli.errors import ConfigFileError, UnreadableConfigFile

TABLE = "s3"
"""The table that may hold the settings of this prefix: `bucket` in `[s3]` is `s3_bucket`."""
PROFILES_TABLE = "profiles"
"""The table with one table for each profile: `[profiles.NAME]`."""


def read_config(path: Path) -> dict[str, Any]:
    """Read config.toml; an empty dictionary if it does not exist.  Raises ConfigFileError."""
    try:
        return parsed(path.read_text(encoding="utf-8")) if path.exists() else {}
    except OSError as error:
        raise UnreadableConfigFile(path, error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise ConfigFileError(path, "it is not text in UTF-8") from None
    except ValueError as error:
        raise ConfigFileError(path, str(error)) from None


def parsed(text: str) -> dict[str, Any]:
    """Return the values of a text by the names of the settings.  Raises ValueError."""
    found = tomllib.loads(text)
    table = found.pop(TABLE, {})
    if not isinstance(table, dict):
        raise ValueError(f"{TABLE} must be a table: [{TABLE}]")
    return {**found, **{f"{TABLE}_{key}": value for key, value in table.items()}}


def with_value(text: str, name: str, value: Any) -> str:
    """Return the text with another value of a setting.  Raises ValueError if the lines cannot be changed safely."""
    lines = lines_of(text)
    place = find(lines, name)
    if place is None:
        at, key = place_of_new(lines, name)
        new = [*lines[:at], f"{key} = {literal(value)}", *(lines[at:] or [""])]
    else:
        start, end = place
        joined = "\n".join(lines[start:end])
        key = joined[: joined.index("=")].rstrip()
        new = [*lines[:start], f"{key} = {literal(value)}{after_value(joined)}", *lines[end:]]
    return proved(text, new, name, {name: value})


def with_profile(text: str, name: str, definition: dict[str, Any]) -> str:
    """Return the text with the table of another profile at its end.  Raises ValueError if that cannot be added."""
    before = parsed(text)
    key = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)
    lines = [f"[{PROFILES_TABLE}.{key}]", *(f"{key} = {literal(value)}" for key, value in definition.items())]
    new = "\n".join([*([text.rstrip("\r\n"), ""] if text.strip() else []), *lines, ""])
    wanted = {**before, PROFILES_TABLE: {**before.get(PROFILES_TABLE, {}), name: definition}}
    if parsed(new) != wanted:
        raise ValueError("a profile cannot be added without changing other lines")
    return new


def without_value(text: str, name: str) -> str:
    """Return the text without a setting.  Raises ValueError if the lines cannot be removed safely."""
    lines = lines_of(text)
    while place := find(lines, name):
        del lines[place[0] : place[1]]
    return proved(text, lines, name, {})


def lines_of(text: str) -> list[str]:
    """Return the lines of a text without their ends; the last one is empty if the text ends with a line end."""
    return text.replace("\r\n", "\n").split("\n")


def proved(before: str, lines: list[str], name: str, wanted: dict[str, Any]) -> str:
    """Return the new text if it differs by the wanted value alone; else raise ValueError."""
    after = ("\r\n" if "\r\n" in before else "\n").join(lines)
    others = {key: value for key, value in parsed(before).items() if key != name}
    try:
        if parsed(after) == others | wanted:
            return after
    except ValueError:
        pass
    raise ValueError(f"the lines of {name} cannot be changed without changing others")


def literal(value: Any) -> str:
    """Return a value as TOML has it."""
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower()


def find(lines: list[str], name: str) -> tuple[int, int] | None:
    """Return the first line of a setting and the line after its value.  A key in the table comes first."""
    tables = list(table_of_each(lines))
    inside = name.removeprefix(f"{TABLE}_") if name.startswith(f"{TABLE}_") else ""
    keys = [(TABLE, inside), ("", f"{TABLE}.{inside}")] if inside else []
    for table, key in [*keys, ("", name)]:
        pattern = re.compile(rf"""\s*(["']?){re.escape(key)}\1\s*=""")
        for start, line in enumerate(lines):
            if tables[start] == table and pattern.match(line):
                for end in range(start + 1, len(lines) + 1):
                    if is_toml("\n".join(lines[start:end])):
                        return start, end
    return None


def table_of_each(lines: list[str]) -> list[str]:
    """Return the name of the table that each line is in; '' for none."""
    table, found = "", []
    for line in lines:
        if header := re.match(r"\s*\[+\s*([^\]]*?)\s*\]", line):
            table = header[1].strip("\"'")
        found.append(table)
    return found


def place_of_new(lines: list[str], name: str) -> tuple[int, str]:
    """Return the number of the line before which a new setting belongs, and its key there.

    That is the end of `[s3]` for its settings, if the text has that table; else the end of the keys without a table.
    """
    tables = table_of_each(lines)
    table = TABLE if name.startswith(f"{TABLE}_") and TABLE in tables else ""
    members = [number for number, found in enumerate(tables) if found == table]
    end = members[-1] + 1 if members else 0
    if end < len(lines):  # comments directly above the header of the next table belong to it
        while end and lines[end - 1].lstrip().startswith("#"):
            end -= 1
    while end and not lines[end - 1].strip():
        end -= 1
    return end, name.removeprefix(f"{TABLE}_") if table else name


def after_value(line: str) -> str:
    """Return what follows the value of a key: blanks and a comment."""
    value = tomllib.loads(line)
    for found in re.finditer(r"[ \t]*#", line):
        if is_toml(line[: found.start()]) and tomllib.loads(line[: found.start()]) == value:
            return line[found.start() :]
    return ""


def is_toml(text: str) -> bool:
    """Return whether a text is TOML."""
    try:
        tomllib.loads(text)
    except ValueError:
        return False
    return True
