"""Writes docs/output.md and the JSON Schema files of docs/schemas from the fields of the commands: `make docs`.

tests/unit/docs/test_output.py compares the files with these functions, and tests/unit/commands/test_json.py validates
what the commands print.
"""

import json
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import wort_cli.commands
from scripts.reference import table
from wort_cli.commands.shared.showing.fields import Document, Field, object_schema
from wort_cli.commands.shared.showing.printing import SCHEMA

DIRECTORY = Path(__file__).parents[1] / "docs"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
INTRODUCTION = """\
# Output for programs

Every command writes its result to stdout, and messages for people to stderr. The exit code says how it ended
([exit codes](commands.md#exit-codes)). Messages, and values that are called `message`, `fix` or `about`, are for
people: their wording may change. Everything else is documented here and changes only with a line in the
[changes](../CHANGELOG.md).

## JSON

With `--json`, a command prints one document:

```json
{"schema": 1, "command": "ls", "signatures": [{"name": "SRR139146", "size": 12345, "path": "/..."}]}
```

- `schema` is the version of all documents. New keys do not change it; other changes do.
- `command` says which command printed the document, and so which schema file describes it.
- If there is a list, it comes last, and it is a list also with one element or none. It is written while it is made, so
  that a long one can be read as it arrives.
- A document has the same keys every time. `null` stands for what is not known or does not apply.
- Sizes are in bytes, durations in seconds, amounts of sequence in bases. Times are in ISO 8601, in UTC:
  `2026-11-27T07:12:31.036Z`.
- `path` is a file of this machine. Of a signature that only the bucket has, it is the URL (`s3://...`).
- A command that fails before it has a result prints no document. The reason is on stderr.

The schema files ([JSON Schema](https://json-schema.org), 2020-12) are in the directory `docs/schemas`, one for each
command: they list all keys, with their meaning, their type and their unit.

## Lines in a pipe

If stdout is no terminal, a command that lists things prints a header and one line for each thing. Columns are separated
by tabs. The columns have the names, the meaning and the units of the same keys in JSON. Numbers have no separators,
times are in ISO 8601 in UTC, elements of a list are joined by commas, and what is not known is empty. Control
characters are escaped, so that no value has a tab or a line end. `--no-header` leaves the header out.

```sh
wort status --state failed | cut -f 2,4          # names and reasons, with a header
wort ls --no-header | awk -F '\\t' '$2 == "computed" {print $1}'
wort ls --paths | xargs -r sourmash sig describe # paths alone
```

Commands that show one thing (`wort view`, `wort daemon status`, `wort backup`, and `wort status` without a selection)
print lines of a key and a value. On a terminal, the same results are tables: numbers are rounded and have units, times
are local, and columns that are empty, or for which the terminal is too narrow, are left out."""


def documents() -> list[Document]:
    """Return the documents of all commands, by name."""
    found: dict[str, Document] = {}
    for module in walk_packages(wort_cli.commands.__path__, "wort_cli.commands."):
        for value in vars(import_module(module.name)).values():
            values = value.values() if isinstance(value, dict) else [value]
            found |= {each.command: each for each in values if isinstance(each, Document) and each.command}
    return [found[name] for name in sorted(found)]


def file_name(document: Document) -> str:
    """Return the name of the schema file of a document."""
    return f"{document.command.replace('--', '').replace(' ', '-').replace('--', '-')}.json"


def schema(document: Document) -> dict[str, Any]:
    """Return the JSON Schema of a document."""
    whole = object_schema(document.head)
    properties = {
        "schema": {"description": "The version of the documents.", "const": SCHEMA},
        "command": {"description": "The command that printed the document.", "const": document.command},
        **whole["properties"],
    }
    if document.rows:
        properties[document.rows] = {
            "description": "The list; it comes last.",
            "type": "array",
            "items": object_schema(document.row),
        }
    return {
        "$schema": DIALECT,
        "title": f"wort {document.command}{'' if '--' in document.command else ' --json'}",
        "description": document.about,
        **whole,
        "properties": properties,
        "required": list(properties),
    }


def output_page() -> str:
    """Return docs/output.md."""
    parts = [INTRODUCTION, "## Columns and keys"]
    for document in documents():
        link = f"[`{file_name(document)}`](schemas/{file_name(document)})"
        parts.append(f"### {document.command}\n\n{document.about} Schema: {link}.")
        if document.head:
            parts.append(table(("key", "meaning"), [(f"`{field.key}`", meaning(field)) for field in document.head]))
        if document.rows:
            what = f"The list is `{document.rows}`. Lines in a pipe have the columns {columns(document)}."
            parts.append(what)
            parts.append(table(("key", "meaning"), [(f"`{field.key}`", meaning(field)) for field in document.row]))
    return "\n\n".join(parts) + "\n"


def meaning(field: Field) -> str:
    """Return the meaning and the unit of a field."""
    unit = f", in {field.kind.unit}" if field.kind.unit else ""
    return f"{field.about}{unit}"


def columns(document: Document) -> str:
    """Return the columns of a document for the page."""
    return ", ".join(f"`{key}`" for key in document.columns)


def files() -> dict[Path, str]:
    """Return the text of each file."""
    schemas = {
        DIRECTORY / "schemas" / file_name(document): json.dumps(schema(document), indent=1) + "\n"
        for document in documents()
    }
    return {**schemas, DIRECTORY / "output.md": output_page()}


def main() -> None:
    """Write the files, and remove schemas of commands that are no more."""
    (DIRECTORY / "schemas").mkdir(exist_ok=True)
    wanted = files()
    for path in (DIRECTORY / "schemas").glob("*.json"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
