"""A wort home for one test, and the commands, jobs and processes in it.

A test runs the installed `wort` as a user would, in a `Home` of its own: WORT_HOME, HOME, the SRA toolkit's
configuration and its repository.  Every process of a home has its path in the environment, so processes that outlive
their job are found.
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

from tests.support.polling import LONGEST, until
from tests.support.processes import Process, is_decoder, processes_with
from tests.support.schemas import validated
from tests.support.shelf import copy_archive
from wort_cli.pipeline import reservations

WORT = Path(sys.executable).with_name("wort")
FASTQ_DUMP = shutil.which("fastq-dump") or "/usr/bin/fastq-dump"
LIVE = ("queued", "running", "waiting")


# ---- Running wort


@dataclass(frozen=True)
class Done:
    """The exit code and the output of a command."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float = 0.0

    def json(self) -> Any:
        """Return stdout as one JSON document, which is what the schema of the command says."""
        return validated(self.out)

    def records(self) -> list[dict[str, Any]]:
        """Return the list of the JSON document on stdout: its last key."""
        document = validated(self.out)
        return list(document[list(document)[-1]])

    def rows(self) -> list[list[str]]:
        """Return the rows of the lines on stdout, without their header."""
        return [line.split("\t") for line in self.out.splitlines()[1:]]

    def expect(self, code: int, *messages: str) -> Done:
        """Assert the exit code, and that stderr contains all `messages`; return self."""
        assert self.code == code, str(self)
        for message in messages:
            assert message in self.err, f"{message!r} is missing: {self}"
        return self

    def __str__(self) -> str:
        output = f"--- stdout\n{self.out[-3000:]}\n--- stderr\n{self.err[-3000:]}"
        return f"{' '.join(self.argv)}: exit {self.code}\n{output}"


@dataclass(frozen=True)
class JobRow:
    """A row of the table jobs."""

    id: int
    name: str
    state: str
    reason: str
    message: str
    attempt: int
    owner: str


class Home:
    """A wort home for one test."""

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
            "WORT_DOWNLOAD": "toolkit",
            "WORT_ENA_URL": "off",
            "WORT_NCBI_URL": "off",
            "WORT_ENTREZ_URL": "off",
            "WORT_GENOMES_URL": "off",
            "WORT_S3_PRESET": "off",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONWARNINGS": "error",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self.configure_toolkit('/repository/remote/disabled = "true"')

    def configure_toolkit(self, *lines: str) -> None:
        """Write the SRA toolkit's configuration: the repository of this home, and `lines`."""
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
        """Put an archive into the toolkit's repository under an accession."""
        return copy_archive(archive, self.repository / "sra" / f"{accession}.sra")

    # ---- commands

    def __call__(
        self,
        *arguments: str | bytes | Path,
        stdin: str | bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 300.0,
        before: Sequence[str | Path] = (),
    ) -> Done:
        """Run wort until it ends, with the command line `before` in front; assert that it prints no traceback."""
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
        """Start wort; kill it at the end if it still runs."""
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

    # ---- the ledger, read without wort

    @property
    def ledger(self) -> Path:
        """The file of the ledger."""
        return self.path / "ledger.db"

    def select(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query; none if the ledger does not exist or has no schema yet."""
        if not self.ledger.exists():
            return []
        with contextlib.closing(sqlite3.connect(self.ledger, timeout=300)) as connection:
            if not connection.execute("PRAGMA user_version").fetchone()[0]:
                return []
            return connection.execute(sql, values).fetchall()

    def jobs(self) -> list[JobRow]:
        """Return all jobs, oldest first."""
        fields = ", ".join(JobRow.__dataclass_fields__)
        return [JobRow(*row) for row in self.select(f"SELECT {fields} FROM jobs ORDER BY id")]

    def job(self, name: str) -> JobRow:
        """Return the newest job of a name."""
        found = [job for job in self.jobs() if job.name == name]
        assert found, f"no job of {name}"
        return found[-1]

    def until_job(self, name: str, *states: str, seconds: float = LONGEST) -> JobRow:
        """Wait until the job of a name is in one of the states; return it."""

        def reached() -> list[JobRow]:
            return [job for job in self.jobs() if job.name == name and job.state in states]

        return until(reached, f"{name} in {states}", seconds)[-1]

    def events(self, name: str) -> list[tuple[str, str]]:
        """Return the transitions of the newest job of a name: each new state, and its reason."""
        rows = self.select("SELECT after, reason FROM events WHERE job_id = ? ORDER BY id", self.job(name).id)
        return [(str(after), str(reason)) for after, reason in rows]

    # ---- signatures

    def signature_file(self, name: str) -> Path:
        """Return the path of a signature in the local store."""
        sigs = self.path / "signatures"
        run = name[:3] in ("SRR", "ERR", "DRR") and name[3:].isdigit()
        folder = name[:6] if run else name[:7] if name.startswith(("GCA_", "GCF_")) else ""
        return sigs / "sigs" / folder / f"{name}.sig" if folder else sigs / "local" / f"{name}.sig"

    def signature(self, name: str) -> bytes:
        """Return the JSON of a signature."""
        return gzip.decompress(self.signature_file(name).read_bytes())

    def signature_files(self) -> list[Path]:
        """Return all files of the local store."""
        return sorted(path for path in (self.path / "signatures").rglob("*") if path.is_file())

    # ---- processes

    def processes(self) -> list[Process]:
        """Return the processes of this home."""
        return processes_with("WORT_HOME", str(self.path))

    def decoders(self) -> list[Process]:
        """Return the running decoders of this home, without wrappers."""
        return [process for process in self.processes() if is_decoder(process)]

    def daemon_pid(self) -> int:
        """Return the pid of the running daemon."""
        return int(self("daemon", "status", "--json").json()["pid"])

    def worker_of(self, job: int, attempt: int) -> int:
        """Wait until an attempt of a job has started; return the pid of its worker."""
        file = self.path / "work" / str(job) / f"attempt-{attempt}" / "processes.json"
        until(file.exists, f"attempt {attempt} of job {job} has started")
        return int(json.loads(file.read_text(encoding="utf-8"))["worker"]["pid"])

    def problems_with(self, words: str) -> list[str]:
        """Return the problems of the daemon with these words; a busy machine may have others for a moment."""
        status = self("daemon", "status", "--json")
        return [problem for problem in status.json()["problems"] if status.code == 1 and words in problem]

    def until_idle(self, seconds: float = LONGEST, but: Sequence[int] = ()) -> None:
        """Wait until no process is left except those with the pids `but`."""
        until(lambda: not [p for p in self.processes() if p.pid not in but], "no process is left", seconds)

    def leftovers(self) -> list[Path]:
        """Return files that must not exist when no process runs: `.partial` files and files in workspaces."""
        work = self.path / "work"
        inside = [path for path in sorted(all_below(work)) if path != work / reservations.FILE]
        return [*sorted(path for path in all_below(self.root) if path.suffix == ".partial"), *inside]

    def until_nothing_left(self) -> None:
        """Wait until there are no such files: the daemon removes them after the ledger has the end of a job."""
        until(lambda: not self.leftovers(), "no files of jobs are left")

    def end(self) -> None:
        """Stop the daemon if one runs; assert that no process, file or running job is left.

        Jobs that the stop requeued may have a workspace, in which their next attempt continues.
        """
        stopped = self("daemon", "stop") if self.path.exists() and self.processes() else None
        try:
            self.until_idle()
        finally:
            left = self.processes()
            for process in left:
                process.kill()
        assert stopped is None or stopped.code == 0, str(stopped)
        jobs = self.jobs()
        assert not [job for job in jobs if job.state == "running"]
        continued = {self.path / "work" / str(job.id) for job in jobs if job.state in ("queued", "waiting")}
        left_over = [path for path in self.leftovers() if continued.isdisjoint((path, *path.parents))]
        assert not left_over, f"{left_over} of jobs {jobs}"

    # ---- tools that misbehave

    def with_tool(self, name: str, script: str) -> dict[str, str]:
        """Return an environment in which the tool `name` is this bash script."""
        write_script(self.root / "bin" / name, script)
        decoder = {"WORT_DECODER": "fastq-dump"} if name == "fastq-dump" else {}  # otherwise it might not be used
        return {"PATH": f"{self.root / 'bin'}:{self.env['PATH']}", **decoder}


@dataclass(frozen=True)
class Running:
    """A running wort, and the files that it writes to."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    def wait(self, seconds: float = LONGEST) -> Done:
        """Wait until wort ends; return its exit code and output."""
        code = self.process.wait(seconds)
        argv = tuple(str(word) for word in self.process.args) if isinstance(self.process.args, list) else ()
        done = Done(argv, code, self.out.read_text(errors="replace"), self.err.read_text(errors="replace"))
        assert "Traceback" not in done.err, str(done)
        return done

    def signal(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)


def all_below(directory: Path) -> list[Path]:
    """Return what is below a directory from which others remove files meanwhile; `rglob` would fail."""
    return [Path(parent) / name for parent, inside, files in os.walk(directory) for name in (*inside, *files)]


def write_script(path: Path, script: str) -> None:
    """Write an executable bash script."""
    path.write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
