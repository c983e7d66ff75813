"""Writes the tables of docs/decoding.md, from those of the in-process decoder: `python -m scripts.decoding`."""

from collections.abc import Iterable
from pathlib import Path

from wort_cli.pipeline.decoding.layouts import COLUMNS, LAYOUTS, NOT_READ, PLATFORM
from wort_cli.pipeline.decoding.vdb_library import COMPARED

DOCUMENT = Path(__file__).parents[1] / "docs" / "decoding.md"
MARK = "<!-- The tables below are written by `make docs`. -->\n"


def tables() -> str:
    """Return the tables as Markdown."""
    return "\n".join([
        "## Layouts\n",
        table(("layout", "what is done", "source"), ((row.layout, row.done, row.source) for row in LAYOUTS)),
        "## Columns\n",
        table(
            ("column", "type", "what is done", "source"),
            ((f"`{row.name}`", f"`{row.type}`" if row.type else "", row.done, row.source)
             for row in (*COLUMNS, PLATFORM)),
        ),
        "`fastq-dump` also reads these columns, but they do not change the reads that it writes:\n",
        table(("column", "why it is not read"), ((f"`{name}`", why) for name, why in NOT_READ.items())),
        "## Versions\n",
        table(("libncbi-vdb", "fastq-dump"), ((version, ", ".join(tools)) for version, tools in COMPARED.items())),
    ])  # fmt: skip


def table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table as Markdown."""
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def document() -> str:
    """Return the document with the tables of the code."""
    return DOCUMENT.read_text(encoding="utf-8").partition(MARK)[0] + MARK + "\n" + tables()


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
