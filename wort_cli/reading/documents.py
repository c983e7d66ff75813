"""Reads JSON documents that others can have written, such as the provenance beside a signature."""

import json
from typing import IO, Any, NoReturn

from wort_cli.model.provenance import Provenance

MAX_DOCUMENT = 1 << 20
"""Bytes of a document; a provenance has a few thousand."""


def read_json(file: IO[bytes]) -> Any:
    """Return the JSON document in an open file.  Raises ValueError if it is invalid, too large or nested too deeply."""
    return parse_json(file.read(MAX_DOCUMENT + 1))


def parse_json(data: bytes) -> Any:
    """Return a JSON document.  Raises ValueError like `read_json`; NaN and Infinity are not JSON (RFC 8259)."""
    if len(data) > MAX_DOCUMENT:
        raise ValueError(f"it is larger than {MAX_DOCUMENT:,} bytes")
    try:
        return json.loads(data, parse_constant=refuse_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def json_object(text: str | bytes) -> dict[str, Any] | None:
    """Return the JSON object in the answer of a server, whose size the caller bounds; None if it is not one."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def refuse_constant(name: str) -> NoReturn:
    """Raise ValueError for NaN, Infinity and -Infinity."""
    raise ValueError(f"{name} is not JSON")


def read_provenance(file: IO[bytes]) -> Provenance:
    """Return the provenance in an open file; raise ValueError with the first fault."""
    try:
        return Provenance.from_json(read_json(file))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is not a provenance: {error}") from None
