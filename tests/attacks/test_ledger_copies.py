"""Copies of ledgers, of every version of the schema, that somebody changed before they are restored or upgraded."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.ledgers import VERSIONS, make_ledger_of_version, tables_of
from tests.support.memory_store import MemoryStore
from tests.support.small_world import SmallWorld, reference
from wort_cli.errors import LedgerDamaged
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.migrations import latest_version

NAME = "SRR000004"
"""A run whose signature is in the ledgers of every version."""
GUARD = "a_job_begins_queued"

PLANTED: dict[str, tuple[str, str]] = {
    "one-trigger-more": (
        "CREATE TRIGGER trusts_all AFTER INSERT ON signatures BEGIN UPDATE signatures SET trust = 'verified'; END",
        "has the trigger or view 'trusts_all'",
    ),
    "view": ("CREATE VIEW v AS SELECT * FROM jobs", "has the trigger or view 'v'"),
    "guard-removed": (f"DROP TRIGGER {GUARD}", f"trigger '{GUARD}' is missing"),
    "guard-exchanged": (
        f"DROP TRIGGER {GUARD}; CREATE TRIGGER {GUARD} BEFORE INSERT ON jobs BEGIN SELECT 1; END",
        f"trigger '{GUARD}' is not the one",
    ),
    "terminal-escape": (
        'CREATE TRIGGER "\x1b]0;owned\x07" AFTER INSERT ON jobs BEGIN SELECT 1; END',
        r"'\x1b]0;owned\x07'",
    ),
}
planted = pytest.mark.parametrize(("sql", "sentence"), PLANTED.values(), ids=PLANTED)
versions = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    """A home whose ledger has jobs and signatures."""
    made = SmallWorld(tmp_path / "home", MemoryStore())
    make_ledger_of_version(made.settings.ledger_file, latest_version())
    return made


def copy_of(version: int, directory: Path, sql: str = "") -> Path:
    """Return a ledger of a version with rows in every table, in which `sql` was executed."""
    path = directory / f"copy-{version}.db"
    make_ledger_of_version(path, version)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.executescript(sql)
    return path


@versions
@planted
def test_copy_with_planted_sql_is_not_restored(
    world: SmallWorld, tmp_path: Path, version: int, sql: str, sentence: str
) -> None:
    before = tables_of(world.settings.ledger_file)
    done = world("backup", "--restore", str(copy_of(version, tmp_path, sql)))
    assert done.code == 1
    assert sentence in done.err
    assert "\x1b" not in done.err
    assert tables_of(world.settings.ledger_file) == before


@pytest.mark.parametrize("version", VERSIONS[:-1])
@planted
def test_earlier_ledger_with_planted_sql_is_not_upgraded(tmp_path: Path, version: int, sql: str, sentence: str) -> None:
    path = copy_of(version, tmp_path, sql)
    before = tables_of(path)
    with pytest.raises(LedgerDamaged, match=re.escape(sentence)):
        Ledger(path).open()
    assert tables_of(path) == before


@versions
def test_restored_record_is_compared_with_the_bytes(world: SmallWorld, tmp_path: Path, version: int) -> None:
    """The copy says `computed` of a signature, in the place of which another right signature of the run lies."""
    path = world.settings.store_dir / f"sigs/SRR000/{NAME}.sig"
    path.parent.mkdir(parents=True)
    path.write_bytes(reference(NAME))
    assert world("backup", "--restore", str(copy_of(version, tmp_path))).code == 0
    assert world.trust(NAME) == "computed"
    done = world("view", NAME, "-o", str(tmp_path / "out.sig"))
    assert done.code == 5, done.err
    assert not (tmp_path / "out.sig").exists()
