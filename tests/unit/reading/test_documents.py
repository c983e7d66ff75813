"""Documents of others are read within limits, and each value is checked."""

import io
import json
from typing import Any

import pytest

from tests.support.builders import provenance
from wort_cli.reading.documents import MAX_DOCUMENT, read_json, read_provenance


@pytest.mark.parametrize(
    "data", [b"", b"[" * 200_000, b"NaN", b"[Infinity]", b"1" * 5000, b" " * MAX_DOCUMENT + b"[]", b"\xff"]
)
def test_document_that_is_no_json_within_the_limits_is_invalid(data: bytes) -> None:
    with pytest.raises(ValueError):
        read_json(io.BytesIO(data))


@pytest.mark.parametrize(
    ("key", "value"),
    [("spots", "1"), ("spots", -1), ("spots", True), ("spots", 10**30), ("seconds", "1"), ("name", 1), ("name", None),
     ("tools", {"a": 1}), ("tools", [["a", "b"]]), ("argv", "sh"), ("argv", [1]), ("sketches", [[]]),
     ("sketches", [{}]), ("validated", 1), ("host", "x" * 20_000), ("argv", ["x"] * 2000)],
)  # fmt: skip
def test_value_of_another_type_is_invalid(key: str, value: Any) -> None:
    data = json.dumps({**provenance().to_json(), key: value}).encode()
    with pytest.raises(ValueError, match="it is not a provenance"):
        read_provenance(io.BytesIO(data))


def test_provenance_of_wort_is_valid() -> None:
    data = json.dumps(provenance(seconds=3).to_json()).encode()
    assert read_provenance(io.BytesIO(data)) == provenance(seconds=3)
