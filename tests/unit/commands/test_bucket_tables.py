"""`wort sync push` keeps tables of what a bucket has and has not; other homes heed the latter."""

import gzip
import io
from collections.abc import Iterator
from pathlib import Path

import polars
import pytest

from tests.support.memory_store import MemoryStore
from tests.support.small_world import SmallWorld
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.accession import Accession
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job_result import JobResult
from wort_cli.stores.object_store import Headers

A, B, C, GONE = "SRR000001", "SRR000002", "SRR000003", "SRR000009"
MANIFEST = "SOURMASH-MANIFEST.parquet"


@pytest.fixture
def objects() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def first(tmp_path: Path, objects: MemoryStore) -> SmallWorld:
    """A home that computed a run, and found another one to be withdrawn."""
    home = SmallWorld(tmp_path / "first", objects)
    assert home("compute", A, "--now", "--no-upload").code == 0
    home("compute", GONE)
    with opened(home) as ledger:
        (job,) = ledger.jobs.named(Accession(GONE))
        claimed = ledger.attempts.claim(job.id, "owner", 3600)
        assert claimed is not None
        secret = Failure(Reason.WITHDRAWN, "/home/secret/path")
        ledger.attempts.finish(JobResult(job.id, claimed.attempt, failure=secret), RetryPolicy())
    return home


@pytest.fixture
def second(tmp_path: Path, objects: MemoryStore) -> SmallWorld:
    """A home with the same bucket that computed another run."""
    home = SmallWorld(tmp_path / "second", objects)
    assert home("compute", B, "--now", "--no-upload").code == 0
    return home


def opened(home: SmallWorld) -> "Opened":
    return Opened(home)


class Opened:
    """The ledger of a home, which the block closes."""

    def __init__(self, home: SmallWorld) -> None:
        self.ledger = Ledger(home.settings.ledger_file)

    def __enter__(self) -> Ledger:
        return self.ledger

    def __exit__(self, *_: object) -> None:
        self.ledger.close()


def manifest(objects: MemoryStore) -> polars.DataFrame:
    return polars.read_parquet(io.BytesIO(objects.contents[MANIFEST]))


def tables(objects: MemoryStore, prefix: str) -> Iterator[tuple[str, str]]:
    for key in sorted(objects.contents):
        if key.startswith(prefix):
            yield key, gzip.decompress(objects.contents[key]).decode()


def edit_table(objects: MemoryStore, prefix: str, before: str, after: str) -> None:
    """Change a text in the only table with a prefix, as a hostile home could."""
    [(key, text)] = tables(objects, prefix)
    assert before in text
    objects.edit(key, gzip.compress(text.replace(before, after).encode()))


def test_manifest_has_the_sketches_of_all_homes(first: SmallWorld, second: SmallWorld, objects: MemoryStore) -> None:
    assert first("sync", "push").code == 0
    assert manifest(objects)["name"].unique().to_list() == [A]
    assert second("sync", "push").code == 0
    rows = manifest(objects).to_dicts()
    assert [(row["name"], row["ksize"], row["trust"]) for row in rows] == [
        *((A, k, "published") for k in (21, 31)),
        *((B, k, "computed") for k in (21, 31)),
    ]
    for row in rows:
        assert row["internal_location"] == f"sigs/{row['name']}.sig"
        assert len(objects.contents[row["internal_location"]]) == row["size"]


def test_tables_are_put_only_if_they_changed(
    first: SmallWorld, objects: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first("sync", "push")
    puts: list[str] = []
    put = MemoryStore.put

    def noted(self: MemoryStore, key: str, content: Path | bytes, headers: Headers, *, replacing: str = "") -> str:
        puts.append(key)
        return put(self, key, content, headers, replacing=replacing)

    monkeypatch.setattr(MemoryStore, "put", noted)
    assert first("sync", "push").code == 0
    assert puts == []
    first("compute", C, "--now")
    first("sync", "push")
    assert [key.partition("/")[0] for key in puts if key.startswith("catalog") or key == MANIFEST] == [
        "catalog",
        MANIFEST,
    ]
    assert manifest(objects)["name"].unique(maintain_order=True).to_list() == [A, C]


def test_absences_are_pulled_and_not_requested_again(
    first: SmallWorld, second: SmallWorld, objects: MemoryStore
) -> None:
    first("sync", "push")
    [(key, text)] = tables(objects, "absent/")
    assert GONE in text and "withdrawn" in text and "secret" not in text
    assert second("sync", "pull").code == 0
    planned = second("compute", GONE, "-n")
    assert (planned.code, "withdrawn" in planned.out) == (0, True), planned
    done = second("compute", GONE, "-g", "soil")
    assert (done.code, f"{GONE}\tunavailable" in done.out) == (3, True), done
    with opened(second) as ledger:
        (job,) = ledger.jobs.named(Accession(GONE))
        assert job.message.startswith(f"according to s3://wort-test/{key}")
        assert ledger.groups.sizes() == {"soil": 1}
    forced = second("compute", "--force", GONE)
    assert (forced.code, f"{GONE}\tqueued" in forced.out) == (0, True), forced


def test_claim_of_others_is_not_published_as_an_own_finding(
    first: SmallWorld, second: SmallWorld, objects: MemoryStore
) -> None:
    first("sync", "push")
    second("sync", "pull")
    second("compute", GONE)
    second("sync", "push")
    assert sum(GONE in text for _, text in tables(objects, "absent/")) == 1


def test_withdrawn_claim_is_forgotten(first: SmallWorld, second: SmallWorld) -> None:
    first("sync", "push")
    second("sync", "pull")
    first("compute", "--force", GONE)
    first("sync", "push")
    second("sync", "pull")
    assert f"{GONE}\tqueued" in second("compute", GONE).out


@pytest.mark.parametrize(
    ("prefix", "before", "after", "said"),
    [
        ("catalog/", f"sigs/{A}.sig", "../../etc/passwd", "the location"),
        ("catalog/", A, "SRR0=cmd", "a name is not valid"),
        ("catalog/", ",DNA,", ",=cmd,", "the location or the moltype"),
        ("catalog/", ",1000,", ",99999999999999999999,", "a number is not valid"),
        ("catalog/", "\n", "\n\0", "other columns"),
        ("catalog/", "sra-v1", "x" * 70_000, "too large"),
        ("absent/", "withdrawn", "wi\x1b[31m", ""),
        ("absent/", GONE, "../x", "a name is not valid"),
        ("absent/", "accession,", "=accession,", "other columns"),
    ],
)
def test_hostile_table_of_another_home_is_ignored(
    first: SmallWorld, second: SmallWorld, objects: MemoryStore, prefix: str, before: str, after: str, said: str
) -> None:
    first("sync", "push")
    edit_table(objects, prefix, before, after)
    done = second("sync", "push" if prefix == "catalog/" else "pull")
    assert done.code == 0
    assert said in done.err and ("is ignored" in done.err) is bool(said) and "\x1b" not in done.err
    if prefix == "catalog/":
        assert manifest(objects)["name"].unique().to_list() == [B]
    assert f"{GONE}\tqueued" in second("compute", GONE).out


def test_garbage_and_bombs_are_ignored(second: SmallWorld, objects: MemoryStore) -> None:
    for n, content in enumerate((b"", b"\x1f\x8b", b"<html>", gzip.compress(b"0" * 10_000_000), gzip.compress(b"\n"))):
        objects.edit(f"catalog/{n:016x}.csv.gz", content)
        objects.edit(f"absent/{n:016x}.csv.gz", content)
    assert second("sync", "pull").code == 0
    done = second("sync", "push")
    assert (done.code, done.err.count("is ignored")) == (0, 5)
    assert manifest(objects)["name"].unique().to_list() == [B]


def test_manifest_of_others_is_left_as_it_is(second: SmallWorld, objects: MemoryStore) -> None:
    objects.edit(MANIFEST, b"theirs")
    done = second("sync", "push")
    assert (done.code, objects.contents[MANIFEST]) == (0, b"theirs")
    assert "not a manifest that wort wrote" in done.err


def test_push_of_a_run_keeps_the_tables_up_to_date(first: SmallWorld, objects: MemoryStore) -> None:
    assert first("compute", C, "--now", "--no-upload").code == 0
    assert first("sync", "push", A).code == 0
    assert manifest(objects)["name"].unique().to_list() == [A]
    assert len([*tables(objects, "catalog/"), *tables(objects, "absent/")]) == 2
    assert first("sync", "push", C).code == 0
    assert manifest(objects)["name"].unique(maintain_order=True).to_list() == [A, C]


def test_push_of_a_run_that_is_known_to_be_there_reads_no_tables(first: SmallWorld, objects: MemoryStore) -> None:
    first("sync", "push", A)
    del objects.contents[MANIFEST]
    assert first("sync", "push", A).code == 0
    assert MANIFEST not in objects.contents
