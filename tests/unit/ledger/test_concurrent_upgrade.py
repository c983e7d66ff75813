"""Several processes that open a ledger of an earlier version at once migrate it once."""

import subprocess
import sys
from pathlib import Path

from tests.support.groups import assert_counts_are_true
from tests.support.ledgers import VERSIONS, make_ledger_of_version, tables_of
from wort_cli.ledger.jobs import JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.migrations import latest_version

OPENERS = """
import multiprocessing, sys
from pathlib import Path
import sqlite_utils
from wort_cli.ledger.ledger import Ledger

def open_all(number, barrier):
    for path in sys.argv[1:]:
        ledger = Ledger(Path(path))
        barrier.wait(30)
        try:
            ledger.open()
        except Exception as error:
            print(path, number, repr(error), flush=True)
        ledger.close()

context = multiprocessing.get_context("fork")
barrier = context.Barrier(4)
processes = [context.Process(target=open_all, args=(number, barrier)) for number in range(4)]
for process in processes:
    process.start()
for process in processes:
    process.join()
"""


def test_processes_that_upgrade_one_ledger_at_once_migrate_it_once(tmp_path: Path) -> None:
    paths = [tmp_path / f"{version}-{trial}.db" for version in VERSIONS for trial in range(3)]
    for path in paths:
        make_ledger_of_version(path, int(path.name.partition("-")[0]))
    before = {path: tables_of(path)["jobs"] for path in paths}
    command = [sys.executable, "-c", OPENERS, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    for path in paths:
        ledger = Ledger(path)
        assert ledger.check() == "ok"
        assert_counts_are_true(ledger)
        assert [job.id for job in reversed(ledger.jobs.matching(JobFilter()))] == [row["id"] for row in before[path]]
        recorded = ledger.storage.select("SELECT name FROM sqlite_master WHERE name = '_sqlite_migrations'", {})
        if not path.name.startswith(f"{latest_version()}-"):
            rows = ledger.storage.select("SELECT name FROM _sqlite_migrations ORDER BY id", {})
            assert [row["name"] for row in rows] == [str(version) for version in VERSIONS]
        else:
            assert recorded == []
        ledger.close()
