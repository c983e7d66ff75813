"""The process that reads: each hostile file is refused in time and memory, and whatever ends it becomes a sentence."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.submissions import HOSTILE, proper
from wort_cli.settings import Settings, load_settings
from wort_cli.submission.refusal import Refusal
from wort_cli.submission.sandbox import Accepted, check_in_child, parse_answer, temporary_copy

HEAVY = [
    name
    for name in HOSTILE
    if any(word in name for word in ("bomb", "deep", "10 MB", "20,000", "huge", "digits", "commas", "without an end"))
]
"""Those that mean to take time and memory; the whole corpus is in the acceptance tests."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = load_settings({"WORT_HOME": str(tmp_path)})
    made.make_directories()
    return made


def read(data: bytes, settings: Settings) -> Accepted:
    with temporary_copy(settings) as copy:
        copy.write(data)
        return check_in_child(copy, settings)


@pytest.mark.parametrize("name", HEAVY)
def test_hostile_files_are_refused_in_time(name: str, settings: Settings) -> None:
    data = HOSTILE[name]()
    started = time.monotonic()
    with pytest.raises(Refusal) as caught:
        read(data, settings)
    assert time.monotonic() - started < 10
    assert caught.value.why.isprintable()
    assert "its reader ended" not in caught.value.why  # refused by a rule, not by a crash


MEASURED = """
import json, sys
from pathlib import Path
from wort_cli.submission.reader_process import answer, limit
limit({"memory": 512_000_000, "seconds": 60})
said = answer(1_000_000_000)
peak = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(json.dumps([said, int(peak[0]) * 1024]))
"""


@pytest.mark.parametrize(
    "name",
    ["bomb of ascending hashes", "bomb of one number", "bomb of a name", "list of commas", "name without an end"],
)
def test_hostile_files_take_little_memory(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.sig"
    path.write_bytes(HOSTILE[name]())
    with path.open("rb") as file:
        done = subprocess.run([sys.executable, "-I", "-c", MEASURED], stdin=file, capture_output=True, check=True)
    said, peak = json.loads(done.stdout)
    assert said["why"]
    assert peak < 300_000_000


def test_a_proper_one_is_described(settings: Settings) -> None:
    found = read(proper(), settings)
    assert (found.profile, found.name, found.size) == ("sra-v1", "SRR000001", len(proper()))


def test_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    small = load_settings({"WORT_HOME": str(tmp_path), "WORT_SUBMIT_SIZE": "1000"})
    small.make_directories()
    with pytest.raises(Refusal, match="larger than 1,000 bytes"):
        read(proper(), small)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("WORT_SUBMIT_SECONDS", "0.01", "more than 0.01 seconds"),
        ("WORT_SUBMIT_MEMORY", "20000000", "its reader ended with code"),
    ],
)
def test_the_limits_are_the_settings(variable: str, value: str, said: str, tmp_path: Path) -> None:
    strict = load_settings({"WORT_HOME": str(tmp_path), variable: value})
    strict.make_directories()
    with pytest.raises(Refusal, match=said):
        read(proper(), strict)


def test_memory_is_limited(tmp_path: Path) -> None:
    small = load_settings({"WORT_HOME": str(tmp_path), "WORT_SUBMIT_MEMORY": "150000000"})
    small.make_directories()
    with pytest.raises(Refusal, match="memory"):
        read(HOSTILE["bomb of ascending hashes"](), small)


def test_a_sentence_of_the_child_is_plain_whatever_became_of_it() -> None:
    said = json.dumps({"why": "\x1b[2J" + "x" * 5000, "where": "\n", "hint": "\u202e"}).encode()
    found = parse_answer(said, 0)
    assert all(text.isprintable() and len(text) < 1100 for text in found.values())


@pytest.mark.parametrize(
    "said",
    [b"", b"null", b"[]", b"{}", b'{"why": 1}', b'{"profile": "sra-v1"}', b"\xff", json.dumps({"why": "x"}).encode()],
)
def test_an_answer_that_is_none(said: bytes) -> None:
    with pytest.raises(Refusal, match="its reader ended with code 0"):
        parse_answer(said, 0)
