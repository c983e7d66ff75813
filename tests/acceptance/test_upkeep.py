"""Housekeeping, backups of the ledger, and `wort doctor --repair`, as a user runs them."""

import platform
import shutil
import sqlite3
import stat
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.builders import request
from tests.support.gate import Gate
from tests.support.homes import Home
from tests.support.polling import until
from tests.support.shelf import Shelf
from tests.support.signatures import make_signatures
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.accession import Accession
from wort_cli.model.job import JobState
from wort_cli.model.job_result import JobResult, Published
from wort_cli.stores.local import LocalStore

RUNS = ("SRR1000001", "SRR1000002", "SRR1000003")


@pytest.fixture
def computed(home: Home) -> tuple[str, ...]:
    """Put three signatures of this host into store and ledger, which is quicker than computing them."""
    store, ledger = LocalStore(home.path / "signatures"), Ledger(home.ledger)
    for name in make_signatures(store.root, 3, first=1_000_001):
        add_signature(ledger, store, Accession(name))
    ledger.close()
    return RUNS


def add_signature(ledger: Ledger, store: LocalStore, name: Accession) -> None:
    """Add a finished job whose signature is in the store."""
    provenance = replace(store.provenance(name), host=platform.node())
    store.put_provenance(provenance, name)
    job = ledger.attempts.claim(ledger.jobs.enqueue([request(name)])[0].job_id or 0, "me", 60)
    assert job is not None
    made = Published(store.key(name), store.path(name).stat().st_size, provenance)
    assert ledger.attempts.finish(JobResult(job.id, job.attempt, made), RetryPolicy()) is JobState.DONE


def change(home: Home, *statements: str) -> None:
    """Change the ledger in a way that wort never does."""
    with closing(sqlite3.connect(home.ledger, timeout=300, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def found(home: Home, *flags: str, code: int = 0) -> list[tuple[str, str, str]]:
    """Return the findings of `wort doctor` that are not ok: state, subject and detail."""
    rows = home("doctor", "--json", *flags).expect(code).records()
    good = ("ok",)
    return [
        (row["state"], row["what"], row["message"])
        for row in rows
        if row["state"] not in good and row["what"] not in ("daemon", "bucket", str(home.path))
    ]


def repaired(home: Home, *flags: str, code: int = 0) -> list[str]:
    """Return what `wort doctor --repair` repaired, and assert that nothing is left to repair."""
    output = found(home, "--repair", *flags, code=code)
    assert {state for state, _, _ in output} == {"repaired"}, output
    assert found(home, *flags) == []
    return [detail for _, _, detail in output]


def overwrite(path: Path, by: bytes = b"\xa5") -> None:
    path.write_bytes(path.read_bytes()[:4096] + by * 40_000)
    for end in ("-wal", "-shm"):
        path.with_name(f"{path.name}{end}").unlink(missing_ok=True)


# ---- Housekeeping


def test_daemon_removes_workspaces_of_jobs_that_were_cancelled_without_it(home: Home, shelf: Shelf, gate: Gate) -> None:
    home.keep(RUNS[0], shelf.archive())
    home("daemon", "start", env=gate.env).expect(0)
    home("compute", RUNS[0]).expect(0)
    gate.until_reached()
    home("daemon", "stop", "--now").expect(0)
    workspace = home.path / "work" / "1"
    assert workspace.exists()
    home("cancel", RUNS[0]).expect(0)
    change(home, "UPDATE jobs SET ended_at = ended_at - 60")
    assert [row[1] for row in found(home)] == ["left over"]
    assert workspace.exists()
    home("daemon", "start").expect(0)
    until(lambda: not workspace.exists(), "the workspace is gone")
    until(lambda: "removed" in home("logs", "--daemon").expect(0).out, "it is logged")
    assert found(home) == []


def test_daemon_prunes_events_and_logs(home: Home, computed: Sequence[str]) -> None:
    change(home, "UPDATE jobs SET ended_at = ended_at - 40 * 86400 WHERE id = 1")
    logs = {number: home.path / "logs" / "jobs" / "000000" / f"{number}.log" for number in (1, 2, 3)}
    for log in logs.values():
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("attempt 1\n")
    home("daemon", "start", env={"WORT_KEEP_EVENTS_IN_ALL": "4"}).expect(0)
    until(lambda: len(home.select("SELECT id FROM events")) == 3, "old events are gone")
    assert {after for (after,) in home.select("SELECT after FROM events")} == {"done"}
    assert [number for number, log in logs.items() if log.exists()] == [2, 3]


def test_daemon_backs_the_ledger_up_regularly(home: Home, computed: Sequence[str]) -> None:
    home("daemon", "start", env={"WORT_BACKUP_HOURS": "0.0002", "WORT_BACKUPS": "2"}).expect(0)
    backups = home.path / "backups"
    until(lambda: len(list(backups.glob("ledger-*.db"))) == 2, "two backups")
    first = min(path.name for path in backups.glob("ledger-*.db"))
    until(lambda: not (backups / first).exists(), "the oldest is removed")
    home("daemon", "stop").expect(0)
    copies = [path for path in backups.iterdir() if path.suffix == ".db"]
    assert len(copies) <= 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in copies} == {0o600}
    with closing(sqlite3.connect(f"file:{copies[0]}?mode=ro&immutable=1", uri=True)) as copy:
        assert copy.execute("SELECT count(*) FROM jobs").fetchone() == (3,)


def test_no_backups_are_made_if_none_are_configured(home: Home) -> None:
    home("daemon", "start", env={"WORT_BACKUP_HOURS": "0.0001", "WORT_BACKUPS": "0"}).expect(0)
    home("wait", "--all").expect(0)
    home("daemon", "stop").expect(0)
    assert not (home.path / "backups").exists()


# ---- wort backup


def test_backup_can_be_restored(home: Home, computed: Sequence[str]) -> None:
    home("daemon", "start").expect(0)
    done = home("backup", "copy.db").expect(0)
    facts = dict(done.rows())
    assert facts["signatures"] == "3"
    assert facts["jobs"] == "3, 0 unfinished"
    home("daemon", "stop").expect(0)
    for file in home.path.glob("ledger.db*"):
        file.rename(home.root / file.name)
    shutil.copy(home.cwd / "copy.db", home.ledger)
    assert [job.state for job in home.jobs()] == ["done"] * 3
    assert home("compute", *RUNS).expect(0).rows()[0][1] == "already there"


def test_backup_refuses_unsuitable_targets(home: Home, computed: Sequence[str]) -> None:
    (home.cwd / "copy.db").write_text("precious")
    home("backup", "copy.db").expect(2, "--force")
    assert (home.cwd / "copy.db").read_text() == "precious"
    assert home("backup", "copy.db", "--force", "--json").expect(0).json()["jobs"] == 3
    before = home.ledger.read_bytes()
    (home.cwd / "link.db").symlink_to(home.ledger)
    for name in (str(home.ledger), "link.db"):
        home("backup", name, "--force").expect(2, "the ledger itself")
    home("backup", "no/such/copy.db").expect(2, "no directory")
    home("backup", ".", "--force").expect(2, "is not a file")
    assert home.ledger.read_bytes() == before
    home("backup", "x.db", env={"WORT_HOME": str(home.root / "empty")}).expect(2, "no ledger yet")
    assert not (home.root / "empty").exists()


# ---- wort doctor --repair


def test_orphaned_rows_and_unknown_states_are_repaired(home: Home, computed: Sequence[str]) -> None:
    change(
        home,
        "INSERT INTO events VALUES (NULL, 99, 0, '', 'queued', '', '', 0)",
        "INSERT INTO progress VALUES (1, 'sketching', 1, 2, 3, 4, 0, 0)",
        "INSERT INTO legal_moves VALUES ('done', 'lost')",
        "UPDATE jobs SET state = 'lost' WHERE id = 2",
        "DELETE FROM legal_moves WHERE after = 'lost'",
        "UPDATE jobs SET ended_at = NULL, reason = 'nonsense' WHERE id = 3",
    )
    problems = found(home, code=1)
    assert {state for state, _, _ in problems} == {"problem"}
    assert [what for _, what, _ in problems] == ["ledger", "ledger", "job 2", "job 3"]
    assert len(repaired(home)) == 4
    assert [job.state for job in home.jobs()] == ["done", "queued", "done"]
    assert home.events(RUNS[1])[-1] == ("queued", "")
    assert home.select("SELECT count(*) FROM legal_moves WHERE before = 'lost'") == [(0,)]
    assert "repaired" in home("logs", RUNS[1]).expect(0).out


def test_missing_and_damaged_signatures_are_computed_again(home: Home, shelf: Shelf, computed: Sequence[str]) -> None:
    for run in RUNS:
        home.keep(run, shelf.archive("one_read"))
    home.signature_file(RUNS[0]).unlink()
    damaged = bytearray(home.signature_file(RUNS[1]).read_bytes())
    damaged[-20] ^= 1
    home.signature_file(RUNS[1]).write_bytes(damaged)
    assert [(state, what) for state, what, _ in found(home, code=1)] == [("problem", RUNS[0]), ("problem", RUNS[1])]
    output = repaired(home)
    assert len(output) == 2
    assert all("queued to compute it again" in line for line in output)
    (aside,) = (home.path / "signatures" / "damaged").iterdir()
    assert aside.read_bytes() == damaged
    assert "was missing" in home("logs", RUNS[0]).expect(0).out
    home("daemon", "start").expect(0)
    home("wait", "--all").expect(0)
    for run in RUNS[:2]:
        assert home.signature(run) == shelf.reference(shelf.archive("one_read"), run)
    home("daemon", "stop").expect(0)
    assert found(home) == []


def test_signature_of_a_missing_archive_is_removed_from_the_catalog_with_a_reason(home: Home, shelf: Shelf) -> None:
    archive = home.cwd / "mine.sra"
    shutil.copy(shelf.archive("one_read"), archive)
    home("compute", "mine.sra", "--now").expect(0)
    archive.unlink()
    home.signature_file("mine").unlink()
    (output,) = repaired(home)
    assert "removed from the catalog" in output
    assert home.select("SELECT count(*) FROM signatures") == [(0,)]
    assert "the archive it was made from is missing" in home("logs", "mine").expect(0).out


def test_signatures_without_an_entry_are_recorded(home: Home, computed: Sequence[str]) -> None:
    change(home, f"DELETE FROM signatures WHERE name = '{RUNS[0]}'")
    stranger = home.signature_file("SRR1000009")
    shutil.copy(home.signature_file(RUNS[1]), stranger)
    assert len(found(home, code=1)) == 2
    output = found(home, "--repair", code=1)
    assert [(state, what) for state, what, _ in output] == [("repaired", RUNS[0]), ("problem", "SRR1000009")]
    stranger.unlink()
    assert found(home) == []
    assert home("compute", RUNS[0]).expect(0).rows()[0][1] == "already there"


def test_damaged_ledger_is_renamed_and_the_newest_sound_backup_restored(home: Home, computed: Sequence[str]) -> None:
    backups = home.path / "backups"
    backups.mkdir(mode=0o700)
    home("backup", str(backups / "ledger-20200101-000000.db")).expect(0)
    (backups / "ledger-20200102-000000.db").write_bytes(b"no ledger" * 1000)
    ledger, store = Ledger(home.ledger), LocalStore(home.path / "signatures")
    (later,) = make_signatures(store.root, 1, first=1_000_004)
    add_signature(ledger, store, Accession(later))
    ledger.close()
    log = home.path / "logs" / "jobs" / "000000" / "4.log"
    log.parent.mkdir(parents=True)
    log.write_text("attempt 1\n")
    overwrite(home.ledger)
    damaged = home.ledger.read_bytes()
    home("status").expect(1, "cannot be read")
    home("doctor").expect(1)
    assert home.ledger.read_bytes() == damaged
    output = home("doctor", "--repair").expect(0).out
    assert "renamed the damaged ledger" in output
    assert "ledger-20200101-000000.db: 3 jobs, 3 signatures" in output
    (aside,) = (path for path in home.path.glob("ledger.db.damaged-*") if path.name[-4:] not in ("-wal", "-shm"))
    assert aside.read_bytes() == damaged
    assert home("compute", *RUNS, later).expect(0).rows()[3][1] == "already there"
    assert found(home) == []
    home("compute", "SRR000005").expect(0)
    assert home.job("SRR000005").id == 5, "the number of a job that has a log is not used again"


def test_catalog_is_rebuilt_from_the_store_if_there_is_no_backup(home: Home, computed: Sequence[str]) -> None:
    overwrite(home.ledger)
    assert "created an empty ledger" in home("doctor", "--repair").expect(0).out
    assert [row[1] for row in home("compute", *RUNS).expect(0).rows()] == ["already there"] * 3


def test_jobs_of_a_backup_are_computed_although_files_of_their_signatures_exist(home: Home, shelf: Shelf) -> None:
    home.keep(RUNS[0], shelf.archive("one_read"))
    home("compute", RUNS[0]).expect(0)
    home("backup", "copy.db").expect(0)
    home("compute", RUNS[0], "--now").expect(0)
    for file in home.path.glob("ledger.db*"):
        file.unlink()
    shutil.copy(home.cwd / "copy.db", home.ledger)
    (output,) = repaired(home)
    assert "as unverified" in output
    assert home.job(RUNS[0]).state == "queued"
    home("compute", RUNS[0], "--now").expect(0)
    assert home.job(RUNS[0]).state == "done"
    assert home.select("SELECT trust FROM signatures") == [("computed",)]


def test_jobs_are_salvaged_from_a_damaged_ledger(home: Home) -> None:
    """One page of an index is overwritten; the table of jobs can be read."""
    home("compute", "-", stdin="\n".join(f"SRR{number:06d}" for number in range(3000))).expect(0)
    with closing(sqlite3.connect(home.ledger)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'events_of_job'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with home.ledger.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xa5" * size)
    assert "jobs: copied 3000" in home("doctor", "--repair").expect(0).out
    assert len(home.jobs()) == 3000
    assert {job.state for job in home.jobs()} == {"queued"}


def test_damaged_ledger_is_not_replaced_while_the_daemon_runs(home: Home, computed: Sequence[str]) -> None:
    home("daemon", "start").expect(0)
    daemon = home.daemon_pid()
    files = {path: path.read_bytes() for path in home.path.glob("ledger.db*")}
    overwrite(home.ledger)
    damaged = home.ledger.read_bytes()
    home("doctor", "--repair").expect(1, "wort daemon stop")
    assert home.ledger.read_bytes() == damaged
    home("daemon", "stop", "--now")
    until(lambda: daemon not in [process.pid for process in home.processes()])
    for path, content in files.items():
        path.write_bytes(content)


def test_files_that_other_users_may_read_are_made_private(home: Home, computed: Sequence[str]) -> None:
    home.ledger.chmod(0o644)
    (output,) = repaired(home)
    assert str(home.ledger) in output
    assert stat.S_IMODE(home.ledger.stat().st_mode) == 0o600


def test_home_in_order_needs_no_repair(home: Home, computed: Sequence[str]) -> None:
    before = {path: path.read_bytes() for path in (home.path / "signatures").rglob("*") if path.is_file()}
    assert found(home, "--repair", "--full") == []
    assert {path: path.read_bytes() for path in before} == before
    assert home.select("SELECT count(*) FROM repairs") == [(0,)]


def test_doctor_creates_no_ledger(home: Home) -> None:
    home("doctor").expect(0)
    home("doctor", "--repair").expect(0)
    assert not home.ledger.exists()
