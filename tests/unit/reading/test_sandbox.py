"""The sandbox refuses every hostile file within its limits, and reports any end of the reader process."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.hostile_signatures import HOSTILE
from tests.support.submissions import valid_signature
from wort_cli.reading.refusal import Refusal
from wort_cli.reading.sandbox import Accepted, check_in_child, parse_answer, temporary_copy
from wort_cli.settings import Settings, load_settings

HEAVY = [
    name
    for name in HOSTILE
    if any(word in name for word in ("bomb", "deep", "10 MB", "20,000", "huge", "digits", "commas", "without an end"))
]
"""The files that need much time or memory; the acceptance tests use the whole corpus."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    loaded = load_settings({"WORT_HOME": str(tmp_path)})
    loaded.make_directories()
    return loaded


def read(data: bytes, settings: Settings) -> Accepted:
    with temporary_copy(settings) as copy:
        copy.write(data)
        return check_in_child(copy, settings)


@pytest.mark.parametrize("name", HEAVY)
def test_hostile_file_is_refused_in_time(name: str, settings: Settings) -> None:
    data = HOSTILE[name]()
    started = time.monotonic()
    with pytest.raises(Refusal) as caught:
        read(data, settings)
    assert time.monotonic() - started < 50
    assert caught.value.why.isprintable()
    assert "the reader exited" not in caught.value.why  # refused by a rule, not by a crash


MEASURED = """
import json, sys
from pathlib import Path
from wort_cli.reading.reader_process import read_signature, set_limits
set_limits({"memory": 512_000_000, "seconds": 60})
answer = read_signature(1_000_000_000)
peak = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(json.dumps([answer, int(peak[0]) * 1024]))
"""


@pytest.mark.parametrize(
    "name",
    ["bomb of ascending hashes", "bomb of one number", "bomb of a name", "list of commas", "name without an end"],
)
def test_hostile_file_needs_little_memory(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.sig"
    path.write_bytes(HOSTILE[name]())
    with path.open("rb") as file:
        done = subprocess.run([sys.executable, "-I", "-c", MEASURED], stdin=file, capture_output=True, check=True)
    answer, peak = json.loads(done.stdout)
    assert answer["why"]
    assert peak < 300_000_000


def test_valid_file_is_described(settings: Settings) -> None:
    found = read(valid_signature(), settings)
    assert (found.profile, found.name, found.size) == ("sra-v1", "SRR000001", len(valid_signature()))


def test_file_above_the_size_limit_is_refused(tmp_path: Path) -> None:
    small = load_settings({"WORT_HOME": str(tmp_path), "WORT_SUBMIT_SIZE": "1000"})
    small.make_directories()
    with pytest.raises(Refusal, match="larger than 1,000 bytes"):
        read(valid_signature(), small)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("WORT_SUBMIT_SECONDS", "0.01", "more than 0.01 seconds"),
        ("WORT_SUBMIT_MEMORY", "20000000", "the reader exited with code|more than 20,000,000 bytes"),
    ],
)
def test_limits_come_from_the_settings(variable: str, value: str, message: str, tmp_path: Path) -> None:
    strict = load_settings({"WORT_HOME": str(tmp_path), variable: value})
    strict.make_directories()
    with pytest.raises(Refusal, match=message):
        read(valid_signature(), strict)


def test_memory_limit_is_enforced(tmp_path: Path) -> None:
    small = load_settings({"WORT_HOME": str(tmp_path), "WORT_SUBMIT_MEMORY": "150000000"})
    small.make_directories()
    with pytest.raises(Refusal, match="memory"):
        read(HOSTILE["bomb of ascending hashes"](), small)


def test_texts_of_a_compromised_child_are_printable_and_short() -> None:
    output = json.dumps({"why": "\x1b[2J" + "x" * 5000, "where": "\n", "hint": "\u202e"}).encode()
    with pytest.raises(Refusal) as caught:
        parse_answer(output, 0)
    texts = (caught.value.why, caught.value.where, caught.value.hint)
    assert all(text.isprintable() and len(text) < 1100 for text in texts)


@pytest.mark.parametrize(
    "output",
    [b"", b"null", b"[]", b"{}", b'{"why": 1}', b'{"profile": "sra-v1"}', b"\xff", json.dumps({"why": "x"}).encode()],
)
def test_invalid_answer_of_the_child_is_refused(output: bytes) -> None:
    with pytest.raises(Refusal, match="the reader exited with code 0"):
        parse_answer(output, 0)
