"""`wort export --update`, what an earlier version or a killed export left, and the catalog's sketches."""

import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.exports import (
    QUEUED,
    RUNS,
    UNAVAILABLE,
    export,
    file_of,
    loaded,
    missing,
    sketches_in,
    sourmash_command,
    stored_sketches,
)
from tests.support.signatures import make_recorded_signatures
from wort_cli.ledger.ledger import Ledger


def test_updated_collection_has_the_bytes_of_a_new_one(home: Path) -> None:
    export(*RUNS[1::2], "-o", "x.sig.zip")
    before = Path("x.sig.zip").read_bytes()
    export(*RUNS[1::2], "-o", "x.sig.zip", code=2)
    assert Path("x.sig.zip").read_bytes() == before
    for run in RUNS[1::2]:
        file_of(home, run).unlink()  # they are not read again
    export("--all", "-o", "x.sig.zip", "--update", code=1)
    assert [row["accession"] for row in missing()] == [QUEUED, UNAVAILABLE]
    for run in RUNS[1::2]:
        make_recorded_signatures(home, 1, int(run[3:]))
    export(*RUNS[::2], "-o", "y.sig.zip")
    assert sketches_in("x.sig.zip") >= sketches_in("y.sig.zip")
    assert {one.name for one in loaded("x.sig.zip")} == set(RUNS)


def test_update_keeps_what_was_not_asked_for_unless_it_was_refuted(home: Path) -> None:
    export(*RUNS[:3], "-o", "x.sig.zip")
    ledger = Ledger(home / "ledger.db")
    ledger.storage.connection.execute("UPDATE signatures SET trust = 'mismatch' WHERE name = ?", (RUNS[1],))
    ledger.close()
    export(RUNS[3], "-o", "x.sig.zip", "--update")
    assert {one.name for one in loaded("x.sig.zip")} == {RUNS[0], RUNS[2], RUNS[3]}


def test_damaged_member_of_an_earlier_collection_is_taken_from_the_store(home: Path) -> None:
    export(*RUNS, "-o", "x.sig.zip")
    member = zipfile.ZipFile("x.sig.zip").infolist()[2]
    with Path("x.sig.zip").open("r+b") as file:
        file.seek(member.header_offset + 200)
        file.write(b"\0\0\0\0")
    export(*RUNS, "-o", "x.sig.zip", "--update")
    assert sketches_in("x.sig.zip") == stored_sketches(home, *RUNS)
    assert zipfile.ZipFile("x.sig.zip").testzip() is None


@pytest.mark.parametrize("content", ["sourmash", "cut", "text"])
def test_collection_of_others_is_not_updated(home: Path, content: str) -> None:
    if content == "sourmash":
        subprocess.run([sourmash_command(), "sig", "cat", str(file_of(home, RUNS[0])), "-o", "x.zip", "-q"], check=True)
    else:
        export(*RUNS, "-o", "x.zip")
        whole = Path("x.zip").read_bytes()
        Path("x.zip").write_bytes(whole[: len(whole) // 2] if content == "cut" else b"PK hello")
    before = Path("x.zip").read_bytes()
    export(RUNS[1], "-o", "x.zip", "--update", code=2)
    assert Path("x.zip").read_bytes() == before
    assert list(Path().glob(".*")) == []


def test_killed_export_leaves_no_collection_and_the_next_one_is_whole(home: Path) -> None:
    export(*RUNS, "-o", "whole.sig.zip")
    hook = (
        "import os, signal, sys\n"
        "from wort_cli.upkeep.export import collection\n"
        "add = collection.Collection.add\n"
        "def die(self, name, *rest):\n"
        f"    add(self, name, *rest) if name != {RUNS[3]!r} else os.kill(os.getpid(), signal.SIGKILL)\n"
        "collection.Collection.add = die\n"
        "from wort_cli import cli\n"
        f"cli.run({['export', *RUNS, '-o', 'x.sig.zip']!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", hook], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not Path("x.sig.zip").exists()
    assert Path(".x.sig.zip.partial").exists()
    export(*RUNS, "-o", "x.sig.zip")
    assert Path("x.sig.zip").read_bytes() == Path("whole.sig.zip").read_bytes()
    assert list(Path().glob(".*")) == []


# ---- the catalog's sketches


def test_sketches_of_an_earlier_version_are_filled_from_provenance_or_file(home: Path) -> None:
    export(*RUNS, "-o", "before.sig.zip")
    ledger = Ledger(home / "ledger.db")
    connection = ledger.storage.connection
    connection.execute("DELETE FROM sketches")
    connection.execute("UPDATE signatures SET trust = 'published' WHERE name = ?", (RUNS[0],))
    connection.execute("UPDATE signatures SET sha256 = '' WHERE name = ?", (RUNS[1],))
    ledger.close()
    for _ in range(2):  # the second time from the table
        export(*RUNS, "-o", "after.sig.zip", "--force")
        assert Path("after.sig.zip").read_bytes() == Path("before.sig.zip").read_bytes()
    ledger = Ledger(home / "ledger.db")
    known = {row["name"] for row in ledger.storage.select("SELECT DISTINCT name FROM sketches", {})}
    ledger.close()
    assert known == {*RUNS} - {RUNS[1]}


def test_sketches_of_other_content_are_forgotten(home: Path) -> None:
    ledger = Ledger(home / "ledger.db")
    connection = ledger.storage.connection
    connection.execute("UPDATE signatures SET digest = ? WHERE name = ?", ("e" * 64, RUNS[0]))
    connection.execute("DELETE FROM signatures WHERE name = ?", (RUNS[1],))
    found = ledger.storage.select("SELECT DISTINCT name FROM sketches ORDER BY name", {})
    ledger.close()
    assert [row["name"] for row in found] == RUNS[2:]
