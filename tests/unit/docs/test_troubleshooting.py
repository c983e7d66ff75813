"""docs/troubleshooting.md has a heading for each reason and cause of an S3 error, and quotes messages that exist."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import wort_cli
from tests.support.documents import ROOT
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.model.provenance import Trust
from wort_cli.stores.s3_errors import TABLE

DOCUMENT = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
HEADINGS = re.findall(r"^### (.*)$", DOCUMENT, re.MULTILINE)
FOREIGN = {"aws", "%", "~/ncbi_error_report.txt", "database is locked", "held"}
"""Quoted words that other programs print, and keys."""


def texts_of_the_package() -> Iterator[str]:
    """Yield the strings of the package that a user may see; an f-string's fields become spaces."""
    for path in sorted(Path(wort_cli.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else " " for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


@pytest.mark.parametrize("reason", Reason)
def test_reason_has_a_heading(reason: Reason) -> None:
    assert any(f"`{reason}`" in heading for heading in HEADINGS)


@pytest.mark.parametrize("why", [cause.why for cause in TABLE if cause.why])
def test_cause_of_an_s3_error_has_a_heading(why: str) -> None:
    quoted = [words for heading in HEADINGS for words in re.findall(r"`([^`]+)`", heading)]
    assert any(words in why for words in quoted if " " in words), why


def test_headings_quote_messages_that_exist() -> None:
    texts = "\n".join(texts_of_the_package())
    known = {*map(str, Reason), *map(str, JobState), *map(str, Trust), *FOREIGN}
    quoted = {words for heading in HEADINGS for words in re.findall(r"`([^`]+)`", heading)}
    assert [words for words in sorted(quoted - known) if not words.startswith("wort ") and words not in texts] == []


def test_each_symptom_has_a_cause_and_a_fix() -> None:
    sections = DOCUMENT.split("\n### ")[1:]
    assert all("**Cause:**" in section and "**Fix:**" in section for section in sections)
