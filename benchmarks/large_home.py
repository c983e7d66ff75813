"""Measures how long commands take to answer in a home with 1,000,000 jobs and 200,000 signatures.

    python -m benchmarks.large_home [--rounds 5] [--home DIR] [--long]

Prints the median wall and CPU seconds of each command, its start included.  With --home,
the home is kept and used again.
"""

import argparse
import json
import os
import pty
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from statistics import median

from benchmarks.bulk_ledger import fill
from benchmarks.measure import measure
from tests.support.builders import published, sketch
from tests.support.small_world import signature_bytes
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession
from wort_cli.model.signature_file import digest
from wort_cli.stores.local import LocalStore

WORT = Path(sys.executable).with_name("wort")
JOBS, SIGNATURES = 1_000_000, 200_000
COMMANDS = (
    ["--version"],
    ["status"],
    ["status", "--state", "failed", "-n", "20"],
    ["status", "-g", "all", "-n", "20"],
    ["status", "-g", "some", "-n", "20"],
    ["status", "SRR10150000"],
    ["status", "--json"],
    ["status", "--json", "-n", "20"],
    ["status", "--tsv", "-n", "20"],
    ["status", "-g", "some", "--json"],
    ["status", "-g", "finished", "--tsv"],
    ["wait", "-g", "finished"],
    ["wait", "SRR10150000"],
    ["view", "SRR10150007", "--no-hist"],
    ["view", "SRR10150007"],
    ["logs", "SRR10150000"],
    ["ls"],
    ["ls", "SRR1015*"],
    ["ls", "-g", "some"],
    ["ls", "SRR1015*", "--all"],
    ["ls", "--paths", "-g", "some"],
    ["_complete", "view", "SRR1015"],
    ["_complete", "status", "-g", "s"],
    ["_complete", "status", "--state", "f"],
)
LONG = (["status", "--tsv"], ["status", "--json", "--all"], ["ls", "--all", "--json"], ["ls", "--paths"])
"""Commands that print every job or every signature: measured once, into a file."""
SHOWN = "SRR10150007"
"""The signature that has a file."""
FILL = """
WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :jobs)
INSERT INTO jobs (name, profile, state, reason, priority, created_at, ended_at)
SELECT 'SRR' || (10000000 + n), 'sra-v1',
       CASE WHEN n < :signatures THEN 'done' WHEN n % 50 = 0 THEN 'failed' WHEN n % 50 = 1 THEN 'unavailable'
            ELSE 'queued' END,
       CASE WHEN n < :signatures THEN '' WHEN n % 50 = 0 THEN 'corrupt' WHEN n % 50 = 1 THEN 'no-reads' ELSE '' END,
       n % 7, 1.7e9 + n, CASE WHEN n < :signatures OR n % 50 < 2 THEN 1.75e9 + n END
FROM numbers;
"""
DERIVED = (
    "INSERT INTO events (job_id, at, before, after, reason, message, attempt) "
    "SELECT id, created_at, '', state, reason, '', 1 FROM jobs",
    "INSERT INTO group_members SELECT 'all', name, profile, '', id, created_at FROM jobs",
    "INSERT INTO group_members SELECT 'some', name, profile, '', id, created_at FROM jobs WHERE id % 5000 = 7",
    "INSERT INTO group_members SELECT 'finished', name, profile, '', id, created_at FROM jobs "
    "WHERE id % 5000 = 7 AND state = 'done'",
)
SIGNED = """
INSERT INTO signatures (name, profile, digest, trust, path, size, created_at, provenance, remote, sha256)
SELECT name, profile, :digest, 'computed', 'sigs/' || substr(name, 1, 6) || '/' || name || '.sig', 5000, ended_at,
       json_replace(:provenance, '$.name', name), '', :sha256
FROM jobs WHERE state = 'done'
"""
RECORDED = """
UPDATE signatures SET digest = :digest, sha256 = :sha256, size = :size,
       provenance = json_replace(provenance, '$.digest', :digest) WHERE name = :name
"""


def main() -> None:
    """Make the home, run the commands, and print the figures."""
    parser = argparse.ArgumentParser(description="Measure commands in a large home.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--long", action="store_true", help="also the commands that print everything: minutes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wort-large-") as directory:
        home = options.home or Path(directory)
        if not (home / "ledger.db").exists():
            make_home(home)
        size = (home / "ledger.db").stat().st_size / 1e6
        print(f"{JOBS:,} jobs and {SIGNATURES:,} signatures: {size:.0f} MB", flush=True)
        env = {**os.environ, "WORT_HOME": str(home)}
        for words in COMMANDS:
            figures = [measure(lambda words=words: answer(words, env)) for _ in range(options.rounds)]  # type: ignore[misc]
            seconds, cpu = (median(each) for each in zip(*((f.wall, f.cpu) for f in figures), strict=True))
            print(f"wort {' '.join(words):36} {seconds:6.2f} s {cpu:6.2f} CPU s", flush=True)
        for words in LONG if options.long else ():
            long = measure(lambda words=words: into_a_file(words, env))  # type: ignore[misc]
            print(
                f"wort {' '.join(words):36} {long.wall:6.2f} s {long.cpu:6.2f} CPU s {long.rss / 1e6:.0f} MB",
                flush=True,
            )


def answer(words: Sequence[str], env: dict[str, str]) -> None:
    """Run a command on a terminal of its own, and read all that it prints."""
    main_end, terminal = pty.openpty()
    process = subprocess.Popen([WORT, *words], env=env, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    try:
        while os.read(main_end, 1 << 16):
            pass
    except OSError:  # the terminal is closed at the end of the command
        pass
    os.close(main_end)
    if process.wait() not in (0, 1):  # 1: some of the jobs have failed
        raise subprocess.CalledProcessError(process.returncode, list(words))


def into_a_file(words: Sequence[str], env: dict[str, str]) -> None:
    """Run a command whose output goes to a file."""
    with tempfile.TemporaryFile() as file:
        subprocess.run([WORT, *words], env=env, stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=True)


def make_home(home: Path) -> None:
    """Fill a new ledger, and make one signature."""
    home.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(home / "ledger.db")
    made = published("SRR10000000").provenance
    values = {
        "jobs": JOBS,
        "signatures": SIGNATURES,
        "provenance": json.dumps(made.to_json()),
        "digest": made.digest,
        "sha256": "0" * 64,
    }
    fill(ledger.storage, (FILL, SIGNED, *DERIVED), values)
    make_signature(home, ledger)
    ledger.close()


def make_signature(home: Path, ledger: Ledger) -> None:
    """Write the signature that is shown, of 30,000 hashes for each k."""
    file = LocalStore(home / "signatures").path(Accession(SHOWN))
    file.parent.mkdir(parents=True)
    sketches = [sketch(range(1, 30_001), [n % 40 + 1 for n in range(30_000)], ksize) for ksize in (21, 31, 51)]
    content = signature_bytes(SHOWN, sketches)
    file.write_bytes(content)
    values = {"name": SHOWN, "digest": digest(sketches), "sha256": sha256(content).hexdigest(), "size": len(content)}
    with ledger.storage.transaction():
        ledger.storage.connection.execute(RECORDED, values)


if __name__ == "__main__":
    main()
