"""Types of settings: each function checks and converts one value from config.toml or from an environment variable.

A value from the environment is a string; a value from config.toml has its TOML type.  Each function raises
ValueError or TypeError, with a sentence for the user, if the value cannot be used.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from wort_cli.errors import SettingsError
from wort_cli.model.profile import PROFILES, Profile
from wort_cli.system.config_file import PROFILES_TABLE

Parser = Callable[[Any], Any]


def setting(default: Any, parse: Parser, description: str, computed: str = "") -> Any:
    """Define a setting; `computed` describes a default that is computed when the settings are loaded or used."""
    return field(default=default, metadata={"parse": parse, "description": description, "computed": computed})


def as_number(value: Any) -> float:
    """Return a value as a number.  Raises ValueError with a sentence."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError("it must be a number") from None


def as_integer(value: Any) -> int:
    """Return a value as an integer.  Raises ValueError with a sentence."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("it must be an integer") from None


def positive_number(value: Any) -> float:
    """Return a number above 0 and below a billion."""
    number = as_number(value)
    if isinstance(value, bool) or not 0 < number < 1e9:
        raise ValueError("it must be a positive number")
    return number


def fraction(value: Any) -> float:
    """Return a number above 0 and at most 1."""
    number = positive_number(value)
    if number > 1:
        raise ValueError("it must be a number above 0 and at most 1")
    return number


def positive_integer(value: Any) -> int:
    """Return an integer from 1 to 10**15."""
    number = as_integer(value)
    if isinstance(value, float | bool) or not 1 <= number <= 10**15:
        raise ValueError("it must be a positive integer")
    return number


def integer_or_zero(value: Any) -> int:
    """Return an integer from 0 to 10**15."""
    if not isinstance(value, float | bool) and as_integer(value) == 0:
        return 0
    return positive_integer(value)


def count(value: Any) -> int:
    """Return an integer from 1 to 1024."""
    if isinstance(value, float | bool) or not 1 <= as_integer(value) <= 1024:
        raise ValueError("it must be an integer from 1 to 1024")
    return as_integer(value)


def count_or_zero(value: Any) -> int:
    """Return an integer from 0 to 1024."""
    if isinstance(value, float | bool) or not 0 <= as_integer(value) <= 1024:
        raise ValueError("it must be an integer from 0 to 1024")
    return as_integer(value)


def boolean(value: Any) -> bool:
    """Return a boolean: true, yes or 1, false, no or 0."""
    words = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value.lower() not in words:
        raise ValueError("it must be true or false")
    return words[value.lower()]


def one_of(*choices: str) -> Callable[[Any], str]:
    """Return a parser that accepts only the given words."""

    def parse(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"it must be one of {', '.join(filter(None, choices))}")
        return str(value)

    return parse


def directories(value: Any) -> tuple[Path, ...]:
    """Return absolute paths: of a list in config.toml, or of a colon-separated string."""
    parts = value.split(os.pathsep) if isinstance(value, str) else list(value)
    return tuple(Path(part).expanduser().absolute() for part in parts if part)


def file_path(value: Any) -> str:
    """Return the absolute path of a file; '' for none."""
    if not isinstance(value, str):
        raise ValueError("it must be the path of a file")
    return str(Path(value).expanduser().absolute()) if value else ""


def listen_address(value: Any) -> str:
    """Return HOST:PORT, where HOST is 127.0.0.1 if only a port is given; '' for none."""
    found = re.fullmatch(r"(?:([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):)?(\d{1,5})", str(value)) if str(value) else None
    if str(value) and (isinstance(value, bool) or not found or not 0 < int(found[2]) < 65536):
        raise ValueError("it must be a port or HOST:PORT")
    return f"{found[1] or '127.0.0.1'}:{found[2]}" if found else ""


def port_number(value: Any) -> int:
    """Return a port: an integer from 0 to 65535."""
    if isinstance(value, float | bool) or not 0 <= as_integer(value) < 65536:
        raise ValueError("it must be an integer from 0 to 65535")
    return as_integer(value)


def listen_host(value: Any) -> str:
    """Return the address or the name of a host."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:.]+", value):
        raise ValueError("it must be an address such as 127.0.0.1, or the name of a host")
    return value


def root_path(value: Any) -> str:
    """Return a path such as /wort, without a slash at its end; '' for the root."""
    if not isinstance(value, str) or not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", value):
        raise ValueError("it must be a path such as /wort")
    return value


def region_name(value: Any) -> str:
    """Return the name of an AWS region; '' for none."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9-]{0,60}", value):
        raise ValueError("it must be a region such as us-east-1")
    return value


def key_name(value: Any) -> str:
    """Return the id, alias or ARN of a KMS key; '' for none."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9:/_-]{0,300}", value):
        raise ValueError("it must be the id, alias or ARN of a key, such as alias/signatures")
    return value


def url_templates(value: Any) -> tuple[str, ...]:
    """Return URLs that contain `{run}`: of a list, or of a string separated by blanks; none for `off`."""
    if value == "off":
        return ()
    parts = value.split() if isinstance(value, str) else list(value)
    for part in parts:
        if not isinstance(part, str) or not re.fullmatch(r"https?://[!-~]+", part) or "{run}" not in part:
            raise ValueError("it must be URLs (http:// or https://) that contain {run}, or `off`")
    return tuple(parts)


def url_or_off(value: Any) -> str:
    """Return a URL, or `off`."""
    if value != "off" and not re.fullmatch(r"https?://[!-~]+", str(value)):
        raise ValueError("it must be a URL (http:// or https://) or `off`")
    return str(value)


def profiles_in(table: Any, file: Path, refuse: Callable[[SettingsError], None]) -> dict[str, Profile]:
    """Return the profiles that a configuration defines; `refuse` is called with each error."""
    found = {}
    for name, definition in table.items() if isinstance(table, Mapping) else [("", table)]:
        try:
            if name in PROFILES:
                raise ValueError("it is built in, and never changes; give yours another name")
            found[name] = Profile.from_json(name, definition)
        except ValueError as error:
            refuse(SettingsError(f"{PROFILES_TABLE}.{name}", str(file), str(error)))
    return found
