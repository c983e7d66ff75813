"""docs/output.md and docs/schemas are those of the commands, and every command has a schema for its JSON."""

from pathlib import Path

import pytest

from scripts.output_docs import DIRECTORY, documents, file_name, files
from scripts.reference import all_commands
from tests.support.schemas import validator
from wort_cli.commands.shared.showing.fields import Document, Field

WITHOUT_JSON = {"wort", "wort help", "wort completion", "wort config edit", "wort worker"}
"""Commands that print no result of their own, but a text for people or for a shell."""
GROUPS = {"wort follow", "wort daemon", "wort config", "wort metadata", "wort profile", "wort sync", "wort token"}
COMMANDS = {" ".join(path): command for path, command, _ in all_commands()}


def test_files_are_those_of_the_generator() -> None:
    wanted = files()
    there = {*(DIRECTORY / "schemas").iterdir(), DIRECTORY / "output.md"}
    assert there == set(wanted), "run `make docs`"
    changed = [path.name for path, text in wanted.items() if path.read_text(encoding="utf-8") != text]
    assert changed == [], "run `make docs`"


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - GROUPS - WITHOUT_JSON))
def test_command_has_json_with_a_schema(name: str) -> None:
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert "--json" in options
    assert name.removeprefix("wort ") in {document.command for document in documents()}


@pytest.mark.parametrize("path", sorted((DIRECTORY / "schemas").iterdir()), ids=lambda path: path.name)
def test_schema_is_valid_and_closed(path: Path) -> None:
    schema = validator(path).schema
    assert schema["additionalProperties"] is False
    assert schema["title"]
    assert schema["description"].endswith(".")
    assert set(schema["required"]) == set(schema["properties"])


@pytest.mark.parametrize("document", documents(), ids=file_name)
def test_document_has_columns_that_exist_and_keys_once(document: Document) -> None:
    assert set(document.columns) <= {field.key for field in document.row}
    for fields in (document.head, document.row):
        keys = [field.key for field in fields]
        assert len(set(keys)) == len(keys)
        assert all(meaning_is_a_phrase(field) for field in fields)


def meaning_is_a_phrase(field: Field) -> bool:
    """Return whether a meaning begins with a capital letter and has no full stop, which the schema adds."""
    return field.about[0].isupper() and not field.about.endswith(".")
