"""Validates what commands print with `--json` by the schema files of the documentation."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.documents import ROOT

SCHEMAS = ROOT / "docs" / "schemas"


@cache
def validator(path: Path) -> Any:
    """Return the validator of a schema file, which itself is checked."""
    from jsonschema import Draft202012Validator

    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def schema_file(command: str) -> Path:
    """Return the schema file of a command, such as `sync push` or `view --url`."""
    return SCHEMAS / f"{'-'.join(command.replace('--', '').split())}.json"


def validated(text: str) -> Any:
    """Return the document that a command printed; fail unless it is what the schema of that command says."""
    document = json.loads(text)
    if "schema" not in document:
        return document
    errors = sorted(
        validator(schema_file(document["command"])).iter_errors(document), key=lambda error: error.json_path
    )
    assert not errors, "\n".join(f"{error.json_path}: {error.message}" for error in errors[:5])
    return document
