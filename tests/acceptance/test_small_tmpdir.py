"""The temporary directory is a small disk in memory, and nearly full: nothing large goes through it."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.acceptance.test_download import RUN, serving
from tests.support.homes import WORT, Home
from tests.support.namespaces import in_namespace
from tests.support.shelf import Shelf
from tests.support.submissions import document, text
from wort_cli.system.temporary import roomiest

ROOM = 16
"""Kilobytes that are free in TMPDIR; everything that the commands handle is larger."""
COMMANDS = (
    f"compute {RUN} --dry-run",
    f"compute {RUN} --now",
    f"compute {RUN} --now --force --engine sourmash",
    f"fetch {RUN} -o fetched",
    f"verify {RUN} --now",
    f"view {RUN} -o out.sig",
    f"view {RUN} -o out.zip",
    "submit large.sig --no-verify",
    "backup copy.db",
    "doctor",
    "ls",
    "status --all",
)


def grow_ledger(home: Home, rows: int) -> None:
    """Make the ledger large, by the events of one job."""
    with closing(sqlite3.connect(home.ledger)) as connection, connection:
        columns = "job_id, attempt, at, before, after, reason, message"
        connection.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) "
            f"INSERT INTO events ({columns}) "
            f"SELECT 1, 1, i, 'queued', 'waiting', 'network', hex(randomblob(50)) FROM n"
        )


def test_nothing_large_goes_through_a_small_tmpdir(home: Home, shelf: Shelf, tmp_path: Path) -> None:
    archive = shelf.with_qualities()
    assert archive.stat().st_size > 10 * ROOM * 1024
    submitted = text(document("SRR000009", hashes=5000))
    assert len(submitted) > 5 * ROOM * 1024
    (home.cwd / "large.sig").write_bytes(submitted)
    small = tmp_path / "tmp"
    small.mkdir()
    mount = f"""
mount -t tmpfs -o mode=700,size=1m tmpfs "{small}"
head -c {ROOM}k /dev/zero > "{small}/room"
cat /dev/zero > "{small}/fill" 2>/dev/null || true
rm "{small}/room"
export TMPDIR="{small}"
"""
    words = "\n".join(
        f'{WORT} {command} > "out.{number}" 2>&1 || echo "$?: {command}" >&2' for number, command in enumerate(COMMANDS)
    )
    home.env["WORT_DOWNLOAD"] = "columns"
    with serving(home, archive):
        done = in_namespace(home, f'{mount}{words}\nls "{small}" >&2')
    outputs = "\n".join((home.cwd / f"out.{number}").read_text() for number in range(len(COMMANDS)))
    assert done.err.split() == ["fill"], f"{done}\n{outputs}"
    assert home.signature(RUN) == shelf.reference(archive, RUN)
    assert (home.cwd / "out.sig").read_bytes() == home.signature(RUN)
    grow_ledger(home, 5000)
    assert home.ledger.stat().st_size > 20 * ROOM * 1024
    read = f'{mount}mount --bind "$home" "$home"\nmount -o remount,ro,bind "$home"\nexec {WORT} status --json'
    assert json.loads(in_namespace(home, read).expect(0).out)
    assert shutil.disk_usage(roomiest([tmp_path])).free > 0
