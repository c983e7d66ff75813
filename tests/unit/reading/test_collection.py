"""All signatures of a file are read with their hashes, and nothing that the reader's process says is trusted."""

import io
import json
import struct
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.hostile_signatures import growing_bomb
from tests.support.submissions import document, sketch, text
from wort_cli.model.signature_file import SignatureDocument, parse_signature
from wort_cli.reading import collection
from wort_cli.reading.collection import joined, read_collection
from wort_cli.reading.limits import ReadLimits
from wort_cli.reading.refusal import Refusal
from wort_cli.reading.signature_stream import SignatureStream, write_document

HEAD = {
    "ksize": 21,
    "seed": 42,
    "max_hash": 0,
    "num": 0,
    "molecule": "DNA",
    "md5": "",
    "hashes": 2,
    "abundances": False,
}


def read(data: bytes, directory: Path, limits: ReadLimits | None = None) -> tuple[SignatureDocument, ...]:
    path = directory / "x.sig"
    path.write_bytes(data)
    with path.open("rb") as file:
        return read_collection(file, limits or ReadLimits())


def stream_of(
    sketches: Sequence[dict[str, Any]], numbers: Sequence[int], last: str = '{"end": true}'
) -> SignatureStream:
    head = json.dumps({"name": "x", "filename": "", "sketches": sketches}).encode()
    return SignatureStream(io.BytesIO(head + b"\n" + struct.pack(f"<{len(numbers)}Q", *numbers) + last.encode()), 1000)


def test_stream_has_what_was_written() -> None:
    known = parse_signature(text(document()))
    file = io.BytesIO()
    write_document(known, file)
    file.write(b'{"end": true}\n')
    file.seek(0)
    stream = SignatureStream(file, 1 << 20)
    (found,) = stream
    assert (found.name, found.digest, stream.last) == (known.name, known.digest, {"end": True})


@pytest.mark.parametrize(
    ("changes", "numbers"),
    [
        ({}, [2, 1]),
        ({}, [1, 1]),
        ({}, [1]),
        ({"hashes": 10**12}, [1, 2]),
        ({"hashes": -1}, [1, 2]),
        ({"hashes": True}, [1, 2]),
        ({"ksize": "21"}, [1, 2]),
        ({"molecule": 1}, [1, 2]),
        ({"abundances": True}, [1, 2]),
    ],
)
def test_stream_that_no_reader_writes_is_an_error(changes: dict[str, Any], numbers: list[int]) -> None:
    assert len(list(stream_of([HEAD], [1, 2]))) == 1
    with pytest.raises((ValueError, TypeError)):
        list(stream_of([{**HEAD, **changes}], numbers, ""))


@pytest.mark.parametrize("answer", ["", "{}", '{"sketches": 1}', "[]", '{"why": 1}', '{"end": false}', "\\x00" * 99])
def test_wrong_answer_of_the_process_refuses_the_file(
    answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collection, "SMALL", 0)
    start = subprocess.Popen

    def lying(_: object, **options: Any) -> "subprocess.Popen[bytes]":
        return start([sys.executable, "-I", "-S", "-c", f"print('{answer}')"], **options)

    monkeypatch.setattr("wort_cli.reading.sandbox.subprocess.Popen", lying)
    with pytest.raises(Refusal, match="cannot be read"):
        read(text(document()), tmp_path)


def test_collection_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("signatures/a.sig.gz", growing_bomb(300_000))
    with pytest.raises(Refusal, match=r"decompressed size|memory|seconds"):
        read(file.getvalue(), tmp_path, ReadLimits(unpacked=1_000_000))


def test_signatures_of_one_name_are_joined_unless_their_sketches_clash() -> None:
    parts = [
        parse_signature(text(document("A", signatures=[sketch(ksize, [seed])])))
        for ksize, seed in ((31, 1), (21, 1), (21, 2), (51, 3))
    ]
    first, second = joined(parts)
    assert [[s.ksize for s in found.sketches] for found in (first, second)] == [[21, 31], [21, 51]]
    unnamed = [parse_signature(text(document("", signatures=[sketch(ksize, [1])]))) for ksize in (21, 31)]
    assert len(joined(unnamed)) == 2
