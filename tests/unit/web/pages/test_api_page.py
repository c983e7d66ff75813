"""The documents of the interface, from its description."""

from pathlib import Path

import pytest

from tests.support.served_home import DONE, FOUND, make_served_home
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.provenance import Trust
from wort_cli.web.openapi import description
from wort_cli.web.openapi_examples import BEARER, EXAMPLES, JOB, RUN
from wort_cli.web.pages.api_page import ApiPage, Subject, api_page, fields_of, subject_of, type_of
from wort_cli.web.pages.rendering import lower_first

URL = "https://wort.example.org/x"
OPERATIONS = {(method, path) for path, methods in description("")["paths"].items() for method in methods}


@pytest.fixture(scope="module")
def page() -> ApiPage:
    return api_page(description(""), Subject(URL, DONE, "12"))


def test_every_operation_has_a_group_and_an_example() -> None:
    assert {*EXAMPLES} == OPERATIONS
    assert all(examples for _, examples in EXAMPLES.values())


def test_page_has_every_operation_once(page: ApiPage) -> None:
    shown = [(one.method.lower(), one.path) for group in page.groups for one in group.operations]
    assert sorted(shown) == sorted(OPERATIONS)
    anchors = [one.anchor for group in page.groups for one in group.operations]
    assert len({*anchors, *(group.anchor for group in page.groups), "schemas"}) == len(anchors) + len(page.groups) + 1


def test_examples_have_the_url_of_the_server_and_a_run_that_it_has(page: ApiPage) -> None:
    lines = [example.source for group in page.groups for one in group.operations for example in one.examples]
    assert all(URL in line for line in lines)
    assert not any("$WORT" in line or RUN in line or JOB in line for line in lines)
    assert any(f"{URL}/v1/view/sra/{DONE}" in line for line in lines)


def test_page_says_what_an_operation_needs(page: ApiPage) -> None:
    needs = {(one.method, one.path): one.needs for group in page.groups for one in group.operations}
    assert needs["GET", "/v1/status/{id}"] == ""
    assert needs["POST", "/v1/compute"] == "Needs a token with the right `compute`."
    assert needs["POST", "/v1/queue/resume"] == "Needs a token with the right `pause`."
    assert needs["DELETE", "/v1/auth/tokens"] == "Needs a user and a password or a token."


def test_every_line_has_a_token_where_reading_is_closed() -> None:
    closed = api_page(description(""), Subject(URL, is_closed=True))
    sources = [example.source for group in closed.groups for one in group.operations for example in one.examples]
    lines = [line for source in sources for line in source.split("\n") if line.startswith("curl ")]
    assert all(line.count(BEARER) == 1 for line in lines)


@pytest.mark.parametrize(
    ("schema", "words", "link"),
    [
        ({"type": "string"}, "string", ""),
        ({"type": "integer", "nullable": True}, "integer or null", ""),
        ({"type": "integer", "minimum": 1, "maximum": 1000}, "integer from 1 to 1,000", ""),
        ({"type": "string", "format": "binary"}, "bytes", ""),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Run"}}, "list of Run", "Run"),
        ({"nullable": True, "allOf": [{"$ref": "#/components/schemas/Job"}]}, "Job or null", "Job"),
        ({}, "JSON", ""),
    ],
    ids=str,
)
def test_type_in_words(schema: dict[str, object], words: str, link: str) -> None:
    found = type_of(schema)
    assert (found.words, found.schema) == (words, link)


def test_choices_are_shown_up_to_a_number() -> None:
    found = type_of({"type": "string", "enum": [str(number) for number in range(20)] + [None], "nullable": True})
    assert (found.words, len(found.choices), found.more) == ("null or one of", 12, 8)


def test_keys_of_objects_within_objects_have_both_names() -> None:
    text = {"type": "string"}
    inner = {"type": "object", "properties": {"k": text}, "required": ["k"]}
    schema = {"type": "object", "properties": {"a": text, "rows": {"type": "array", "items": inner}}}
    assert [(one.name, one.required) for one in fields_of(schema)] == [
        ("a", False),
        ("rows", False),
        ("rows[].k", True),
    ]


def test_example_is_the_newest_run_that_the_server_sends(tmp_path: Path) -> None:
    with_nothing = Ledger(tmp_path / "empty.db")
    assert subject_of(with_nothing, frozenset(), URL) == Subject(URL)
    with_nothing.close()
    make_served_home(tmp_path / "home")
    ledger = Ledger(tmp_path / "home" / "ledger.db")
    assert subject_of(ledger, frozenset({Trust.MISMATCH}), URL) == Subject(URL, DONE, "1")
    assert subject_of(ledger, frozenset({Trust.MISMATCH, Trust.COMPUTED}), URL) == Subject(URL, FOUND)
    ledger.close()


def test_abbreviations_keep_their_capitals() -> None:
    assert [lower_first(text) for text in ("Too large", "JSON text", "")] == ["too large", "JSON text", ""]
