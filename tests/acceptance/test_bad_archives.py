"""Archives that cannot be sketched: each has a state, a reason, a sentence, a hint and an exit code."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.bad_cases import BadCase, check_bad_case
from tests.support.homes import Home
from tests.support.shelf import Shelf, copy_archive


def text_file(_: Shelf, path: Path) -> None:
    path.write_text("@read1\nACGT\n+\nIIII\n" * 100)


def empty_file(_: Shelf, path: Path) -> None:
    path.touch()


def magic_only(_: Shelf, path: Path) -> None:
    path.write_bytes(b"NCBI.sra")


def garbage_after_magic(shelf: Shelf, path: Path) -> None:
    head = shelf.archive().read_bytes()[:64]
    path.write_bytes(head + bytes(range(256)) * 200)


def shelved(take: Callable[[Shelf], Path]) -> Callable[[Shelf, Path], object]:
    return lambda shelf, path: copy_archive(take(shelf), path)


NO_READS = ("no read of the run passes the read filter", "there is nothing to sketch")
FETCH_AGAIN = "fetch the archive again (`prefetch`)"
BAD = (
    BadCase("all_filtered", shelved(lambda s: s.archive("all_filtered")), "unavailable", "no-reads", 3, *NO_READS),
    BadCase("zero_spots", shelved(lambda s: s.archive("zero_spots")), "unavailable", "no-reads", 3, *NO_READS),
    BadCase(
        "flipped",
        shelved(Shelf.flipped),
        "failed",
        "corrupt",
        1,
        "does not match its checksums",
        "fetch the archive again (`wort fetch`)",
    ),
    BadCase("truncated", shelved(Shelf.truncated), "failed", "incomplete", 1, "reads are missing", FETCH_AGAIN),
    BadCase("text_file", text_file, "failed", "not-an-archive", 1, "is not an SRA archive", "vdb-validate"),
    BadCase("empty_file", empty_file, "failed", "not-an-archive", 1, "is not an SRA archive", "vdb-validate"),
    BadCase("magic_only", magic_only, "failed", "incomplete", 1, "reads are missing", FETCH_AGAIN),
    BadCase("garbage", garbage_after_magic, "failed", "incomplete", 1, "reads are missing", FETCH_AGAIN),
)
"""Bad archives and their expected outcomes."""


def named(bad: BadCase) -> str:
    return bad.name


@pytest.mark.parametrize("bad", [bad for bad in BAD if bad.reason != "not-an-archive"], ids=named)
def test_bad_archive_with_now(bad: BadCase, home: Home, shelf: Shelf) -> None:
    bad.make(shelf, home.cwd / "bad.sra")
    check_bad_case(home, "bad", home("compute", "bad.sra", "--now", "-o", "out.sig"), bad)
    assert not (home.cwd / "out.sig").exists()
    assert home.job("bad").attempt == 1


def test_bad_archives_with_the_daemon(home: Home, shelf: Shelf) -> None:
    """All of them at once, together with a good archive, which is not delayed."""
    for number, bad in enumerate(BAD):
        path = home.repository / "sra" / f"SRR00000{number}.sra"
        bad.make(shelf, path)
    home.keep("SRR000009", shelf.archive())
    home("daemon", "start").expect(0)
    runs = [f"SRR00000{number}" for number in range(len(BAD))]
    done = home("compute", *runs, "SRR000009", "--wait").expect(1)
    wanted = {run: (bad.state, bad.reason) for run, bad in zip(runs, BAD, strict=True)}
    assert {row[0]: (row[1], row[3]) for row in done.rows()} == {**wanted, "SRR000009": ("done", "")}
    assert {job.name: (job.state, job.reason) for job in home.jobs()} == {**wanted, "SRR000009": ("done", "")}
    for bad in BAD:
        assert bad.sentence in done.err
        assert bad.hint in done.err
    assert {path.stem for path in home.signature_files() if path.suffix == ".sig"} == {"SRR000009"}
    counts = home("status", "--json").expect(0).json()
    assert counts["counts"] == {
        **dict.fromkeys(("queued", "running", "waiting", "cancelled"), 0),
        **{"done": 1, "failed": 6, "unavailable": 2},
    }
    assert {"state": "unavailable", "reason": "no-reads", "jobs": 2} in counts["reasons"]
    assert len(home("status", "--reason", "corrupt").expect(0).rows()) == 1
    home("compute", *runs[:2], "--wait").expect(3, "no-reads")
    assert home("compute", runs[0]).expect(3).rows()[0][1] == "unavailable"


def test_repaired_archive_succeeds_on_retry(home: Home, shelf: Shelf) -> None:
    path = copy_archive(shelf.truncated(), home.repository / "sra" / "SRR000001.sra")
    home("compute", "SRR000001", "--now").expect(1, "incomplete")
    path.unlink()
    home.keep("SRR000001", shelf.archive())
    home("compute", "SRR000001", "--now").expect(0)
    assert home.signature("SRR000001") == shelf.reference(shelf.archive(), "SRR000001")
    assert len(home.jobs()) == 1
