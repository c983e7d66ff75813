"""Tests of the bytes of a file that a conditional or partial request gets."""

import pytest

from wort_cli.web.ranges import Part, wanted_part

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("headers", "part"),
    [
        ({}, Part(200, 0, 100)),
        ({"range": "bytes=0-10"}, Part(206, 0, 11)),
        ({"range": "bytes=90-"}, Part(206, 90, 10)),
        ({"range": "bytes=90-1000"}, Part(206, 90, 10)),
        ({"range": "bytes=-5"}, Part(206, 95, 5)),
        ({"range": "bytes=-500"}, Part(206, 0, 100)),
        ({"range": "bytes=100-"}, Part(416, 0, 0)),
        ({"range": "bytes=-0"}, Part(416, 0, 0)),
        ({"range": "bytes=9-3"}, Part(200, 0, 100)),
        ({"range": "bytes=0-1,5-6"}, Part(200, 0, 100)),
        ({"range": "bytes=-"}, Part(200, 0, 100)),
        ({"range": "lines=0-1"}, Part(200, 0, 100)),
        ({"range": f"bytes=0-{'9' * 19}"}, Part(200, 0, 100)),
        ({"range": "bytes=0-10", "if-range": ETAG}, Part(206, 0, 11)),
        ({"range": "bytes=0-10", "if-range": '"old"'}, Part(200, 0, 100)),
        ({"if-none-match": ETAG}, Part(304, 0, 0)),
        ({"if-none-match": f'"x", W/{ETAG}', "range": "bytes=0-10"}, Part(304, 0, 0)),
        ({"if-none-match": "*"}, Part(304, 0, 0)),
        ({"if-none-match": '"x"'}, Part(200, 0, 100)),
    ],
    ids=str,
)
def test_part_is_what_the_standard_says(headers: dict[str, str], part: Part) -> None:
    assert wanted_part(headers, 100, ETAG) == part


def test_range_of_an_empty_file_cannot_be_satisfied() -> None:
    assert wanted_part({"range": "bytes=0-10"}, 0, ETAG).status == 416
