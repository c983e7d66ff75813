"""docs/workers.md, followed to the letter: a database, the coordinator's host, and a host that computes.

The names of servers are replaced by addresses on loopback, and stand-ins take the place of programs that change the
machine.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documents import ROOT, shell_blocks
from tests.support.homes import Home, write_script
from tests.support.polling import until
from tests.support.queue_servers import PASSWORD, Postgresql, Redis
from tests.support.shelf import Shelf

DATABASE, EACH, COORDINATOR, WORKER, WATCH, REDIS, KEY = range(7)
"""The shell blocks of the page, in order."""
CHOSEN = "chosen-by-the-user"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Postgresql]:
    with Postgresql(tmp_path / "database") as server:
        yield server


def block(number: int, replaced: dict[str, str]) -> str:
    found = shell_blocks(ROOT / "docs" / "workers.md")
    assert len(found) == len((DATABASE, EACH, COORDINATOR, WORKER, WATCH, REDIS, KEY))
    text = found[number].text
    for old, new in replaced.items():
        text = text.replace(old, new)
    return text


def follow(home: Home, text: str, stdin: str = "") -> str:
    """Run a block of the page as its reader would."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        env=home.env,
        cwd=home.cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def prepare(home: Home, stand_ins: dict[str, str]) -> None:
    for name, script in {"pip": "true", **stand_ins}.items():
        write_script(home.root / "bin" / name, script)
    home.env["PATH"] = f"{home.root / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    home.env["WORT_FETCH_AHEAD"] = "0"


def test_two_hosts_with_postgresql(home: Home, tmp_path: Path, database: Postgresql, shelf: Shelf) -> None:
    where = f"-h {database.address} -p {database.port} -U wort"
    role = f"create role worker login password '{CHOSEN}'"
    sudo = f"""
export PGPASSWORD={PASSWORD}
case "$*" in
"-u postgres createuser --pwprompt worker") psql {where} -d postgres -qc "{role}" ;;
"-u postgres createdb --owner worker jobs") createdb {where} --owner worker jobs ;;
"tee -a /etc/postgresql/15/main/pg_hba.conf") cat > /dev/null ;;
"-u postgres psql -c ALTER SYSTEM SET listen_addresses = '*'") psql {where} -d postgres -qc "${{!#}}" ;;
"systemctl restart postgresql") ;;
*) exit 9 ;;
esac"""
    other = Home(tmp_path / "node1")
    for each in (home, other):
        prepare(each, {"sudo": sudo})
    names = ["SRR000001", "SRR000002", "SRR000003"]
    for name in names:
        other.keep(name, shelf.archive())
    (home.cwd / "runs.txt").write_text("\n".join(names))
    replaced = {"db.example.org/jobs?sslmode=require": f"{database.address}:{database.port}/jobs?sslmode=disable"}
    follow(home, block(DATABASE, replaced))
    for each in (home, other):
        assert "orders that no worker has taken" in follow(each, block(EACH, replaced), f"{CHOSEN}\n")
    follow(home, block(KEY, {}))
    shutil.copy(Path(home.env["HOME"]) / ".wort-key", other.env["HOME"])
    follow(other, "wort config set queue_key_file ~/.wort-key")
    follow(home, block(COORDINATOR, replaced))
    worker = subprocess.Popen(
        ["bash", "-c", f"exec {block(WORKER, replaced)}"],
        env=other.env,
        cwd=other.cwd,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for name in names:
            home.until_job(name, "done")
            assert home.signature(name) == shelf.reference(shelf.archive(), name)
        until(lambda: "idle" in follow(home, block(WATCH, replaced)), "the worker is idle")
    finally:
        worker.terminate()
        assert worker.wait(60) == 0
    other.until_idle()


def test_redis_is_checked(home: Home, tmp_path: Path) -> None:
    prepare(home, {})
    with Redis(tmp_path / "redis") as server:
        home.env["WORT_QUEUE_PASSWORD"] = PASSWORD
        follow(home, block(REDIS, {"rediss://redis.example.org:6379/0": server.url}))
        assert "orders that no worker has taken" in home("doctor").out
        server.cli("config", "set", "appendonly", "no")
        assert "keeps no append-only file" in home("doctor").out
        server.cli("config", "set", "maxmemory-policy", "allkeys-lru")
        assert "removes values when its memory is full" in home("doctor").out
        home("daemon", "start").expect(75, "set `maxmemory-policy noeviction`")
