"""A home with a job in every state, and the output of every command in it: the same at every time and place.

Nothing runs and no server is asked: the bucket is in memory, the clock stands, and paths below its directory are
shown as /home/ann/data.
"""

import contextlib
import io
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from tests.support.archive_server import ArchiveServer
from tests.support.archives import make_archive
from tests.support.builders import provenance
from tests.support.memory_store import MemoryStore
from tests.support.run_lists import RunLists
from tests.support.run_lists import run as listed
from tests.support.small_world import (
    PROFILE,
    SmallWorld,
    publish_elsewhere,
    reference,
    reference_sketches,
    stubbed_reads,
)
from wort_cli import cli
from wort_cli.commands.doctor import TOOLS
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.accession import Accession, LocalName
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobRequest, Progress, Source
from wort_cli.model.job_result import JobResult, Published
from wort_cli.model.provenance import Trust
from wort_cli.model.run_metadata import RunMetadata
from wort_cli.model.signature_file import digest
from wort_cli.stores import parallel
from wort_cli.stores.local import LocalStore
from wort_cli.system.process_identity import own_identity

NOW = 1_795_780_800.0
"""2026-11-27 12:00:00 UTC."""
DONE, ALSO_DONE, BUCKET_ONLY = "SRR000001", "SRR000002", "SRR000003"
FAILED, UNAVAILABLE, WAITING, RUNNING = "SRR000011", "SRR000012", "SRR000013", "SRR000014"
QUEUED = ("SRR000021", "SRR000022")
SUBMITTED = "SRR000031"
SERVED, NOT_SERVED = "SRR000041", "SRR000042"
"""The archive that the server on loopback has, and one that it does not have."""
PROJECT = "PRJNA1"
"""The project that the server on loopback lists."""
READS, SHEET = ("lake_1.fastq", "lake_2.fastq", "mud.fastq"), "samples.csv"
SHOWN_HOME = "/home/ann/data"
ESCAPES = {"1": "bold", "2": "dim", "31": "red", "32": "green", "33": "yellow", "35": "magenta", "36": "cyan"}
ESCAPE = re.compile(r"\x1b\[([0-9;]*)m")
MASKS = (
    (re.compile(r"(free at \S+\s+)\d+\.\d .B"), r"\g<1>50.0 GB"),
    (re.compile(r"\d+\.\d .B free"), "50.0 GB free"),
    (re.compile(r"\t3[12]\d\d\t"), "\t3200\t"),
    (re.compile(r"(size\s+)[\d.]+ kB(\nversion)"), r"\g<1>160.0 kB\2"),
    (re.compile(r"(sketches\s+\d+\nsize\s+)[\d.]+ kB"), r"\g<1>3.0 kB"),
    (re.compile(r"[\d.]+ kB(, \S+ledger.db)"), r"160.0 kB\1"),
    (re.compile(r"sourmash \S+, numpy \S+"), "sourmash 4.9.4, numpy 2.4.6"),
    (re.compile(r"127.0.0.1:\d{5}"), "127.0.0.1:50000"),
)
"""Values that differ between machines, and between versions of zlib, SQLite and libraries, and their placeholders."""
JOB_LOG = """\
{time} [1] attempt 1 at SRR000011
{time} [1] $ fastq-dump --version
{time} [1] exit 0
{time} [1] SRR000011: normalized, 126,000,000 bytes, md5 0123456789abcdef0123456789abcdef
{time} [1] the columns READ are not as their md5 sums say; fetching them again
{time} [1] $ vdb-validate SRR000011.sra
{time} [1] exit 3
{time} [1] vdb-validate err: checksum failed
{time} [1] corrupt: the md5 of the column READ is wrong
"""

SOIL = RunMetadata("", "PRJNA1", organism="soil metagenome", strategy="WGS", source="METAGENOMIC", layout="PAIRED")


class Showcase:
    """The home; `run` returns what a command prints."""

    def __init__(self, root: Path, server: ArchiveServer, lists: RunLists) -> None:
        self.objects = MemoryStore()
        self.server = server
        self.lists = lists
        self.root = root / "wort"
        self.directory = root
        with self.clock(NOW - 7200):
            for run in (DONE, BUCKET_ONLY):
                publish_elsewhere(self.objects, run, reference_sketches(run))
            self.world = SmallWorld(self.root, self.objects)
            self.world.env |= {"WORT_ENA_URL": "off", "WORT_NCBI_URL": "off", "WORT_LOCATOR_URL": "off",
                               "WORT_MIRRORS": "off", "WORT_JOBS": "2", "WORT_THREADS": "1",
                               "WORT_S3_TRANSFERS": "1", "WORT_REQUEST_INTERVAL": "0.000001", "HOME": "/home/nobody",
                               "PATH": f"{self.install_tools()}:{os.environ['PATH']}"}  # fmt: skip
            self.fill()
        self._snapshot = self.directory.with_name(f"{self.directory.name}-snapshot")
        shutil.copytree(self.root, self._snapshot)
        self._objects = dict(self.objects.contents), dict(self.objects.metadata)
        self._files = set(self.directory.iterdir())

    def install_tools(self) -> Path:
        """Make a directory with tools of the SRA toolkit that know their version only."""
        directory = self.directory / "bin"
        directory.mkdir()
        for name in TOOLS:
            (directory / name).write_text(f"#!/bin/sh\necho '{name} : 3.0.3'\n")
            (directory / name).chmod(0o755)
        return directory

    def reset(self) -> None:
        """Undo what commands have done."""
        shutil.rmtree(self.root)
        shutil.copytree(self._snapshot, self.root)
        self.objects.contents, self.objects.metadata = dict(self._objects[0]), dict(self._objects[1])
        for path in set(self.directory.iterdir()) - self._files:
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def remove(self) -> None:
        """Remove what `reset` needs."""
        shutil.rmtree(self._snapshot)

    @contextmanager
    def clock(self, now: float) -> Iterator[None]:
        """Let the clock stand."""
        with ExitStack() as stack:
            stack.enter_context(mock.patch.object(time, "time", lambda: now))
            stack.enter_context(mock.patch.dict("os.environ", {"TZ": "UTC"}))
            time.tzset()
            yield
        time.tzset()

    def fill(self) -> None:
        """Make the jobs and the signatures."""
        ledger, settings = Ledger(self.world.settings.ledger_file), self.world.settings
        (self.directory / "wanted.txt").write_text(
            "".join(f"{run}\n" for run in (DONE, FAILED, UNAVAILABLE, "SRR777777"))
        )
        (self.directory / "runs.csv").write_text(f"Run,ScientificName\n{DONE},Zea mays\n")
        archive = self.directory / "archives" / "pond.sra"
        archive.parent.mkdir()
        archive.write_bytes(b"NCBI.sra")
        os.truncate(archive, 12_345_678)

        def enqueue(name: str, group: str = "", priority: int = 0) -> int:
            request = JobRequest(Source(Accession(name)), PROFILE, priority, group)
            (answer,) = ledger.jobs.enqueue([request])
            assert answer.job_id is not None
            return answer.job_id

        def claim(job_id: int) -> int:
            job = ledger.attempts.claim(job_id, str(own_identity()), 3600)
            assert job is not None
            return job.attempt

        for run in (DONE, ALSO_DONE):
            job_id = enqueue(run, "soil")
            result = JobResult(job_id, claim(job_id), published=self.published(run))
            ledger.attempts.finish(result, RetryPolicy())
        ends = {
            FAILED: Failure(Reason.CORRUPT, "the md5 of the column READ is wrong"),
            UNAVAILABLE: Failure(Reason.NOT_FOUND, "neither the locator nor a mirror has it"),
            WAITING: Failure(Reason.NETWORK, "no answer from locate.ncbi.nlm.nih.gov"),
        }
        for run, failure in ends.items():
            job_id = enqueue(run, "soil")
            ledger.attempts.finish(JobResult(job_id, claim(job_id), failure=failure), RetryPolicy())
        running = enqueue(RUNNING, "soil")
        attempt = claim(running)
        for seconds, spots in ((50, 100_000), (310, 620_000)):
            progress = Progress("sketching", spots, 1_000_000, spots * 300, NOW - 7200 + seconds)
            ledger.attempts.report_progress(running, attempt, progress)
        for run in QUEUED:
            enqueue(run, "deep-sea", 5)
        for run in (DONE, ALSO_DONE, *ends, RUNNING):
            sample = "SRS000001" if run in (DONE, ALSO_DONE) else "SRS000002"
            ledger.runs.record([(replace(SOIL, run=run, sample=sample), "ENA")])
        ledger.jobs.enqueue([JobRequest(Source(LocalName("pond"), archive), PROFILE)])
        (self.directory / f"{SUBMITTED}.sig").write_bytes(reference(SUBMITTED))
        for name in READS:
            (self.directory / name).write_text("@read\nACGT\n+\nIIII\n")
        (self.directory / SHEET).write_text("sample,fastq_1,fastq_2\nlake,{},{}\nmud,{},\n".format(*READS))
        log = settings.job_log(3)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(JOB_LOG.format(time="2026-11-27 10:00:00"))
        settings.daemon_log.write_text("2026-11-27 10:00:00,123 INFO 4242 wort_cli.daemon: job 1, attempt 1: done\n")
        ledger.storage.connection.execute("UPDATE events SET at = ? + id / 1000.0", (NOW - 7200,))
        ledger.storage.connection.commit()
        ledger.close()

    def published(self, run: str) -> Published:
        """Write the signature of a run into the local store."""
        store = LocalStore(self.world.settings.store_dir)
        name, content = Accession(run), reference(run)
        made = provenance(
            run, digest=digest(reference_sketches(run)), host="ann-laptop", started_at=NOW - 7300, seconds=83.2,
            source_size=126_000_000, spots=1_000_000, spots_passed=998_000, reads=1_996_000, bases=299_400_000,
            format="normalized", proved_by="column-md5s", proof="a" * 64, identified=True,
            url=f"https://sra-pub-run-odp.s3.amazonaws.com/sra/{run}/{run}",
            tools={"wort": "0.1.0", "sourmash": "4.9.4", "libncbi-vdb": "3.0.2"},
            argv=("fastq-dump", "--fasta", "0", "-Z", run), decoders=("libncbi-vdb.so.3",), engine="kernel",
        )  # fmt: skip
        store.path(name).parent.mkdir(parents=True, exist_ok=True)
        store.path(name).write_bytes(content)
        store.put_provenance(made, name)
        return Published(store.key(name), len(content), made, trust=Trust.COMPUTED)

    def run(self, *words: str, width: int = 0, colour: bool = False, streams: str = "both") -> str:
        """Return the exit code and all that a command prints in a terminal of a width; 0: in pipes.

        Escape sequences of colours are made visible: `[green]done[/]`.
        """
        out, err = Captured(is_terminal=width > 0), Captured(is_terminal=False)  # bars would show the time that passed
        env = {**self.world.env, "COLUMNS": str(width or 80), "TERM": "xterm-256color"}
        env |= {} if colour else {"NO_COLOR": "1"}
        if words[0] in ("doctor", "fetch"):
            env |= {"WORT_DOWNLOAD": "columns", "WORT_LOCATOR_URL": f"{self.server.url}/locator"}
        if PROJECT in words:
            env |= self.lists.env
        with (
            self.clock(NOW),
            stubbed_reads(self.objects),
            mock.patch.dict("os.environ", env),
            contextlib.chdir(self.directory),
            mock.patch.object(parallel, "in_parallel", one_by_one),
            mock.patch.object(sys, "stdin", io.StringIO()),
            mock.patch.object(sys, "stdout", out),
            mock.patch.object(sys, "stderr", err),
        ):
            code = cli.run(list(words))
        self.code = code
        if streams == "out":
            return out.text()
        notices = "".join(f"2> {line}\n" for line in self.shown(err.text()).splitlines())
        return self.shown(out.text()) + notices

    def shown(self, text: str) -> str:
        """Return a text with visible escapes, and with the home at its usual place."""
        text = ESCAPE.sub(lambda found: visible(found[1]), text).replace("[/][bold]", "")
        for pattern, replacement in MASKS:
            text = pattern.sub(replacement, text)
        return "\n".join(line.rstrip() for line in text.replace(str(self.directory), SHOWN_HOME).split("\n"))


def one_by_one(things: Iterable[Any], do: Callable[[Any], Any], _: int) -> Iterator[tuple[Any, Any]]:
    """Do what `parallel.in_parallel` does, in order."""
    for thing in things:
        yield thing, do(thing)


class Captured(io.StringIO):
    """A stream that may say that it is a terminal."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        """Return what was asked for."""
        return self._is_terminal

    def text(self) -> str:
        """Return what was written."""
        return self.getvalue()


def visible(codes: str) -> str:
    """Return an escape sequence of a style as text."""
    names = [ESCAPES.get(code, code) for code in codes.split(";") if code not in ("", "0")]
    return f"[{' '.join(names)}]" if names else "[/]"


@contextmanager
def showcase() -> Iterator[Showcase]:
    """Yield a new home whose path is as long as the one that is shown, so that tables have the same widths."""
    with tempfile.TemporaryDirectory(prefix="w", dir="/tmp") as directory, tempfile.TemporaryDirectory() as scratch:
        assert len(directory) == len(SHOWN_HOME)
        archive = Path(scratch) / f"{SERVED}.sra"
        make_archive("paired_illumina", archive, seed=1)
        with ArchiveServer({SERVED: archive.read_bytes()}).serving() as server, RunLists().serving() as lists:
            lists.put(PROJECT, [listed(number, bases=number * 150_000_000, megabytes=40) for number in (1, 2, 51)])
            lists.ncbi[PROJECT].append(listed(52, organism="soil metagenome", bases=1_000_000, megabytes=1))
            made = Showcase(Path(directory), server, lists)
            yield made
            made.remove()
