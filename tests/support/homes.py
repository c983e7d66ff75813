"""What the integration and acceptance tests share: a home for one test, the processes in it, and tools that misbehave.

A test runs the installed `wort` as a person would, in a `Home` of its own: WORT_HOME, HOME, the SRA toolkit's
configuration and its repository.  Every process that is started for a home carries its path in its environment, which
is how those that outlive their job are found.  Nothing here sleeps for a fixed time: `until` polls a condition.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.polling import until
from tests.support.processes import Process, is_decoder, processes_with
from tests.support.shelf import link
from wort_cli.pipeline import reservations

WORT = Path(sys.executable).with_name("wort")
FASTQ_DUMP = shutil.which("fastq-dump") or "/usr/bin/fastq-dump"
LIVE = ("queued", "running", "waiting")


# ---- Running wort


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float = 0.0

    def json(self) -> Any:
        """Its result as one JSON document."""
        return json.loads(self.out)

    def rows(self) -> list[list[str]]:
        """Its result as tab-separated lines."""
        return [line.split("\t") for line in self.out.splitlines()]

    def expect(self, code: int, *said: str) -> Done:
        """Itself; AssertionError unless it ended with that code, and said all of `said` on stderr."""
        assert self.code == code, str(self)
        for words in said:
            assert words in self.err, f"{words!r} is missing: {self}"
        return self

    def __str__(self) -> str:
        said = f"--- stdout\n{self.out[-3000:]}\n--- stderr\n{self.err[-3000:]}"
        return f"{' '.join(self.argv)}: exit {self.code}\n{said}"


@dataclass(frozen=True)
class JobRow:
    """What the ledger says of a job."""

    id: int
    name: str
    state: str
    reason: str
    message: str
    attempt: int
    owner: str


class Home:
    """A home for one test, and the commands, jobs and processes in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "wort"
        self.repository = root / "repository"
        self.cwd = root / "cwd"
        self.vdb_config = root / "vdb"
        for directory in (self.repository / "sra", self.cwd, self.vdb_config, root / "home", root / "bin"):
            directory.mkdir(parents=True)
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(root / "home"),
            "WORT_HOME": str(self.path),
            "VDB_CONFIG": str(self.vdb_config),
            "WORT_JOBS": "2",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONWARNINGS": "error",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self.configure_toolkit('/repository/remote/disabled = "true"')

    def configure_toolkit(self, *lines: str) -> None:
        """Have the SRA toolkit know our repository, and what `lines` add (FACTS: VDB_CONFIG)."""
        (self.vdb_config / "test.kfg").write_text(
            "\n".join(
                (
                    '/LIBS/GUID = "8d3a6f2e-1111-4222-8333-444455556666"',
                    f'/repository/user/main/public/root = "{self.repository}"',
                    '/repository/user/main/public/apps/sra/volumes/sraFlat = "sra"',
                    *lines,
                    "",
                )
            ),
            encoding="ascii",
        )

    def keep(self, accession: str, archive: Path) -> Path:
        """Lay an archive into the toolkit's repository, under an accession."""
        return link(archive, self.repository / "sra" / f"{accession}.sra")

    # ---- commands

    def __call__(
        self,
        *arguments: str | bytes | Path,
        stdin: str | bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 100.0,
        before: Sequence[str | Path] = (),
    ) -> Done:
        """Run wort to its end, behind the words of `before` if there are; a traceback is never right."""
        words = [*before, WORT, *arguments]
        started = time.monotonic()
        done = subprocess.run(
            words,
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            check=False,
            env={**self.env, **(env or {})},
            cwd=cwd or self.cwd,
            timeout=timeout,
        )
        result = Done(
            tuple(word.decode(errors="replace") if isinstance(word, bytes) else str(word) for word in words),
            done.returncode,
            done.stdout.decode(errors="replace"),
            done.stderr.decode(errors="replace"),
            time.monotonic() - started,
        )
        assert "Traceback" not in result.err, str(result)
        assert "Warning" not in result.err, str(result)
        return result

    @contextlib.contextmanager
    def running(
        self, *arguments: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> Iterator[Running]:
        """wort while it runs; it is killed at the end if it still does."""
        with (
            (self.root / "stdout").open("w+b") as out,
            (self.root / "stderr").open("w+b") as err,
            subprocess.Popen(
                [WORT, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**self.env, **(env or {})},
                cwd=cwd or self.cwd,
            ) as process,
        ):
            try:
                yield Running(process, Path(out.name), Path(err.name))
            finally:
                process.kill()

    # ---- the ledger, read beside wort

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.path / "ledger.db"

    def select(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a query to the ledger; none if there is no ledger, or one that has just been begun."""
        if not self.ledger.exists():
            return []
        with contextlib.closing(sqlite3.connect(self.ledger, timeout=60)) as connection:
            if not connection.execute("PRAGMA user_version").fetchone()[0]:
                return []
            return connection.execute(sql, values).fetchall()

    def jobs(self) -> list[JobRow]:
        """All jobs, the oldest first."""
        fields = ", ".join(JobRow.__dataclass_fields__)
        return [JobRow(*row) for row in self.select(f"SELECT {fields} FROM jobs ORDER BY id")]

    def job(self, name: str) -> JobRow:
        """The last job of a name."""
        found = [job for job in self.jobs() if job.name == name]
        assert found, f"there is no job of {name}"
        return found[-1]

    def until_job(self, name: str, *states: str, seconds: float = 30.0) -> JobRow:
        """The job of a name, once it is in one of the states."""

        def reached() -> list[JobRow]:
            return [job for job in self.jobs() if job.name == name and job.state in states]

        return until(reached, f"{name} in {states}", seconds)[-1]

    def events(self, name: str) -> list[tuple[str, str]]:
        """The moves of the last job of a name: the state after each, and its reason."""
        rows = self.select("SELECT after, reason FROM events WHERE job_id = ? ORDER BY id", self.job(name).id)
        return [(str(after), str(reason)) for after, reason in rows]

    # ---- signatures

    def signature_file(self, name: str) -> Path:
        """Where the signature of a name belongs."""
        sigs = self.path / "signatures"
        run = name[:3] in ("SRR", "ERR", "DRR") and name[3:].isdigit()
        return sigs / "sigs" / name[:6] / f"{name}.sig" if run else sigs / "local" / f"{name}.sig"

    def signature(self, name: str) -> bytes:
        """The signature of a name as JSON."""
        return gzip.decompress(self.signature_file(name).read_bytes())

    def signature_files(self) -> list[Path]:
        """All signatures and their documents."""
        return sorted(path for path in (self.path / "signatures").rglob("*") if path.is_file())

    # ---- processes

    def processes(self) -> list[Process]:
        """All that runs in this home."""
        return processes_with("WORT_HOME", str(self.path))

    def decoders(self) -> list[Process]:
        """The real decoders, of the recipe, that run in this home."""
        return [process for process in self.processes() if is_decoder(process)]

    def daemon_pid(self) -> int:
        """The process of the running daemon."""
        return int(self("daemon", "status", "--json").json()["pid"])

    def until_idle(self, seconds: float = 5.0, but: Sequence[int] = ()) -> None:
        """Wait until no process is left but those named."""
        until(lambda: not [p for p in self.processes() if p.pid not in but], "no process is left", seconds)

    def leftovers(self) -> list[Path]:
        """Files that should be gone once nothing runs: `.partial` ones, and whatever is in a workspace."""
        work = self.path / "work"
        inside = [path for path in sorted(work.rglob("*")) if path != work / reservations.FILE]
        return [*sorted(self.root.rglob("*.partial")), *inside]

    def end(self) -> None:
        """Stop the daemon if one runs; AssertionError if anything is left that should not be."""
        stopped = self("daemon", "stop") if self.path.exists() and self.processes() else None
        try:
            self.until_idle()
        finally:
            left = self.processes()
            for process in left:
                process.kill()
        assert stopped is None or stopped.code == 0, str(stopped)
        assert not self.leftovers()
        assert not [job for job in self.jobs() if job.state == "running"]

    # ---- tools that misbehave

    def with_tool(self, name: str, script: str) -> dict[str, str]:
        """An environment in which `name` is a bash script of ours, before the real one on the PATH."""
        write_script(self.root / "bin" / name, script)
        decoder = {"WORT_DECODER": "fastq-dump"} if name == "fastq-dump" else {}  # which else might not be asked
        return {"PATH": f"{self.root / 'bin'}:{self.env['PATH']}", **decoder}


@dataclass(frozen=True)
class Running:
    """A wort that runs, and where it writes."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    def wait(self, seconds: float = 60.0) -> Done:
        """How it ended."""
        code = self.process.wait(seconds)
        argv = tuple(str(word) for word in self.process.args) if isinstance(self.process.args, list) else ()
        done = Done(argv, code, self.out.read_text(errors="replace"), self.err.read_text(errors="replace"))
        assert "Traceback" not in done.err, str(done)
        return done

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)


def write_script(path: Path, script: str) -> None:
    """Write a bash script that can be run."""
    path.write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
