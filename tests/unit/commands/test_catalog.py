"""`wort catalog` writes tables that sourmash, polars and duckdb read, from the ledger alone."""

import csv
import errno
import io
import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars
import pytest
import sourmash
from sourmash.index import StandaloneManifestIndex
from sourmash.manifest import BaseCollectionManifest, CollectionManifest

from tests.support.builders import published
from tests.support.copied_home import copied_home
from tests.support.signatures import make_recorded_signatures
from wort_cli import cli
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession
from wort_cli.model.catalog_columns import CATALOG_COLUMNS, OF_PAGE_SIGNATURES, CatalogPage
from wort_cli.model.job_result import Published
from wort_cli.model.provenance import Trust
from wort_cli.model.run_metadata import RunMetadata
from wort_cli.model.sketch_row import COLUMNS
from wort_cli.stores.local import LocalStore
from wort_cli.upkeep.catalog.parquet_catalog import write_parquet

NUMBER = 5
RUNS = [f"SRR{n}" for n in range(1_000_000, 1_000_000 + NUMBER)]
IN_BUCKET, REFUTED, UNREAD = RUNS[3], RUNS[4], "SRR3000000"
HOSTILE = '=HYPERLINK("x")\x1b[31m'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with signatures: one only in the bucket, one refuted, one of which the sketches are not known."""
    home = tmp_path_factory.mktemp("catalog")
    make_recorded_signatures(home, NUMBER)
    ledger = Ledger(home / "ledger.db")
    with ledger.transaction():
        change = ledger.storage.connection.execute
        change(
            "UPDATE signatures SET path = '', remote = ? WHERE name = ?", (f"s3://b/sigs/{IN_BUCKET}.sig", IN_BUCKET)
        )
        change("UPDATE signatures SET trust = 'mismatch' WHERE name = ?", (REFUTED,))
        of_others = published(UNREAD).provenance
        ledger.catalog.record(Published("", 7, of_others, f"s3://b/sigs/{UNREAD}.sig", Trust.PUBLISHED, "0" * 64))
    ledger.runs.record([(RunMetadata(RUNS[0], organism="Homo sapiens", bases=1500, released="2020-01-02"), "ENA")])
    ledger.runs.record([(RunMetadata(RUNS[1], organism=HOSTILE), "ENA")])
    ledger.close()
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, and its parent is the working directory."""
    return copied_home(made, tmp_path, monkeypatch)


def catalog(*words: str, code: int = 0) -> None:
    assert cli.run(["catalog", *words]) == code


def of_sourmash(home: Path, *runs: str) -> set[tuple[str, int, str]]:
    """Return name, k and md5 of the sketches that sourmash finds in the files of runs."""
    store = LocalStore(home / "signatures")
    found = [one for run in runs for one in sourmash.load_file_as_signatures(str(store.path(Accession(run))))]
    return {(one.name, one.minhash.ksize, one.md5sum()) for one in found}


@pytest.mark.parametrize("name", ["c.csv", "c.csv.gz", "c.sqlite"])
def test_sourmash_takes_the_catalog_as_a_manifest(home: Path, name: str) -> None:
    catalog("--local", "-o", name)
    index = StandaloneManifestIndex.load(name)
    found = {(one.name, one.minhash.ksize, one.md5sum()) for one in index.signatures()}
    assert found == of_sourmash(home, *RUNS[:3])
    rows = {(row["name"], row["ksize"]): row for row in index.manifest.rows}
    for row in CollectionManifest.create_manifest(
        ((one, "") for one in index.signatures()), include_signature=False
    ).rows:
        # Of every SQLite manifest, sourmash says that there are no abundances (sqlite_index.py, rows).
        others = ("internal_location", "with_abundance" if name == "c.sqlite" else "")
        same = [column for column in COLUMNS if column not in others]
        assert {key: rows[row["name"], row["ksize"]][key] for key in same} == {key: row[key] for key in same}


def test_sourmash_collects_catalogs(home: Path) -> None:
    catalog("--local", "-o", "c.csv")
    catalog(RUNS[0], "-o", "c.sqlite")
    command = Path(sys.executable).with_name("sourmash")
    argv: list[Path | str] = [command, "sig", "collect", "-q", "c.csv", "c.sqlite", "-o", "all.csv", "-F", "csv"]
    subprocess.run(argv, check=True, capture_output=True)
    assert len(BaseCollectionManifest.load_from_filename("all.csv").rows) == 12


def check_rows(rows: list[dict[str, Any]], home: Path) -> None:
    """Check the rows that a reader found."""
    assert [row["name"] for row in rows] == [run for run in RUNS[:4] for _ in range(3)]
    first, in_bucket = rows[0], rows[-1]
    assert list(first) == list(CATALOG_COLUMNS)
    assert first["internal_location"] == str(LocalStore(home / "signatures").path(Accession(RUNS[0])))
    assert (first["organism"], first["bases"], str(first["released"])) == ("Homo sapiens", 1500, "2020-01-02")
    assert (first["platform"], first["spots"], first["url"]) == (None, None, None)
    assert (first["trust"], first["with_abundance"], first["scaled"]) == ("computed", 1, 1000)
    assert abs((first["creation_date"].replace(tzinfo=UTC) - datetime.now(UTC)).days) <= 1
    assert in_bucket["internal_location"] == in_bucket["url"] == f"s3://b/sigs/{IN_BUCKET}.sig"


def test_polars_and_duckdb_read_parquet(home: Path) -> None:
    catalog("-o", "c.parquet")
    found = polars.read_parquet("c.parquet")
    check_rows(found.to_dicts(), home)
    assert found.filter(polars.col("organism") == HOSTILE).height == 3
    assert polars.read_parquet_metadata("c.parquet")["SOURMASH-MANIFEST-VERSION"] == "1.0"
    query = duckdb.sql("SELECT * FROM 'c.parquet' ORDER BY name, ksize")
    assert query is not None
    check_rows([dict(zip(query.columns, row, strict=True)) for row in query.fetchall()], home)


def test_duckdb_reads_csv_which_has_no_formulas(home: Path) -> None:
    catalog("-o", "c.csv")
    query = duckdb.sql("SELECT * FROM read_csv('c.csv', skip = 1) ORDER BY name, ksize")
    assert query is not None
    check_rows([dict(zip(query.columns, row, strict=True)) for row in query.fetchall()], home)
    with Path("c.csv").open(newline="") as file:
        next(file)
        texts = {row["organism"] for row in csv.DictReader(file)}
    assert texts == {"Homo sapiens", '\'=HYPERLINK("x")\\x1b[31m', ""}


def test_sqlite_has_a_table_of_signatures(home: Path) -> None:
    catalog("-o", "c.sqlite")
    with closing(sqlite3.connect("c.sqlite")) as connection:
        query = "SELECT organism, typeof(bases), creation_date FROM signatures JOIN sourmash_sketches USING (name)"
        rows = connection.execute(query).fetchall()
    assert len(rows) == 12
    assert rows[0][:2] == ("Homo sapiens", "integer")
    assert datetime.fromisoformat(rows[0][2])


def test_catalog_says_what_it_leaves_out(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    catalog("-o", "c.csv", "--json")
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert (document["sketches"], document["refuted"], document["without_sketches"]) == (12, 1, 1)
    assert "1 refuted signature left out" in err
    assert "1 signature left out, whose sketches the ledger does not know" in err
    catalog("-o", "m.csv", "--trust", "mismatch", "--json")
    assert json.loads(capsys.readouterr().out)["sketches"] == 3


def test_conditions_patterns_and_pages_select_rows(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wort_cli.ledger.catalog_rows.PAGE", 2)
    for words, number in (
        ((), 12),
        (("--where", "organism=Homo*"), 3),
        ((f"{RUNS[0][:-1]}?",), 12),
        ((RUNS[2],), 3),
        (("ERR*",), 0),
    ):
        catalog(*words, "-f", "-o", "c.parquet", "--json")
        assert json.loads(capsys.readouterr().out)["sketches"] == number
        assert polars.read_parquet("c.parquet").height == number


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no output file is named"),
        (("-o", "c.txt"), "no ending that names a format"),
        (("-o", "none/c.csv"), "there is no directory"),
        (("-o", "there.csv"), "exists"),
        (("-o", "c.csv", "-g", "none"), "there is no group"),
        (("-o", "c.csv", "--trust", "much"), "there is no trust"),
    ],
)
def test_bad_input_is_refused_and_writes_nothing(
    home: Path, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("there.csv").write_text("mine")
    catalog(*words, code=2)
    assert said in capsys.readouterr().err
    assert sorted(path.name for path in Path().iterdir()) == ["home", "there.csv"]
    assert Path("there.csv").read_text() == "mine"


def test_parquet_without_pyarrow_is_refused_with_the_name_of_the_extra(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    catalog("-o", "c.parquet", code=2)
    assert "pip install 'wort-cli[parquet]'" in capsys.readouterr().err
    catalog("-o", "c.csv")


def page(number: int) -> CatalogPage:
    """Return a page with one sketch."""
    name = f"SRR{number:06}"
    of_signature = {"name": name, "internal_location": name, "creation_date": 1.5}
    of_sketch = ("0" * 32, 21, "DNA", 0, 1000, number, 1, "")
    return CatalogPage([tuple(of_signature.get(column) for column in OF_PAGE_SIGNATURES)], [(0, *of_sketch)])


def test_row_groups_are_written_in_order(tmp_path: Path) -> None:
    with (tmp_path / "c.parquet").open("wb") as file:
        assert write_parquet(file, map(page, range(50))) == 50
    assert polars.read_parquet(tmp_path / "c.parquet")["n_hashes"].to_list() == [*range(50)]


class FullDisk(io.BytesIO):
    """A file on a disk with room for a few bytes."""

    def write(self, data: Any) -> int:
        if self.tell() > 3000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("fault", ["disk", "pages"])
def test_fault_while_rows_are_written_is_raised(fault: str) -> None:
    def pages() -> Iterator[CatalogPage]:
        for number in range(200):
            if fault == "pages" and number == 20:
                raise OSError(errno.EIO, "Input/output error")
            yield page(number)

    with pytest.raises(OSError, match="No space" if fault == "disk" else "Input/output"):
        write_parquet(FullDisk() if fault == "disk" else io.BytesIO(), pages())
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("parquet")]


def test_other_profile_is_chosen_by_its_name(home: Path) -> None:
    (home / "config.toml").write_text("[profiles.mine]\nk = 7\nscaled = 10\n")
    catalog("--profile", "mine", "-o", "c.csv")
    with Path("c.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file.readlines()[1:]))) == 0
    catalog("--profile", "sra-v1", "-o", "d.csv")
    catalog("--profile", "none", "-o", "e.csv", code=2)
