"""A home whose pages show something: signatures with k-mer spectra, and a job in every state.

What comes from outside has HTML and terminal escapes in it, which no page may write as they are.
"""

import hashlib
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tests.support.builders import MAX_HASH, PROFILE, provenance
from tests.support.homes import Home
from tests.support.submissions import valid_signature
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.accession import Accession
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobRequest, Progress, Source
from wort_cli.model.job_result import JobResult, Published
from wort_cli.model.provenance import SketchSummary, Trust
from wort_cli.model.run_metadata import RunMetadata
from wort_cli.model.signature_file import Sketch, digest
from wort_cli.model.submission import SourceCheck, Submission
from wort_cli.pipeline.seal import write_signature
from wort_cli.stores.local import LocalStore

DONE, FOUND, REFUTED = "SRR5855406", "ERR2241639", "SRR000003"
FAILED, UNAVAILABLE, WAITING, RUNNING, CANCELLED = "SRR000011", "SRR000012", "SRR000013", "SRR000014", "SRR000015"
QUEUED = ("SRR000021", "SRR000022", "SRR000023")
SUBMITTED, CLAIMED, NOBODY = "SRR000001", "SRR000041", "SRR999999999"
HTML, ESCAPE = "<img src=x onerror=alert(1)>", "\x1b[31mred\x1b]0;owned\x07"
HOSTILE = f"{HTML}{ESCAPE}\u202e&amp;"
GROUP, HOSTILE_GROUP = "plankton", f"a/b {HTML}"
SOIL = RunMetadata("", "PRJNA395437", "SRP113513", "SRX3031700", "SRS2396203", "SAMN07384577", 412755,
                   "marine metagenome", "WGS", "METAGENOMIC", "RANDOM", "PAIRED", "ILLUMINA", "Illumina HiSeq 2500",
                   1_204_000, 240_800_000, 96_000_000, "2017-07-21", "2017-07-22")  # fmt: skip
GENOMES = ((5200, 14.0), (3600, 62.0), (900, 410.0))
"""Hashes and depths of the genomes in the spectrum."""


def spectrum_sketch(ksize: int, seed: int = 1, errors: int = 21_000) -> Sketch:
    """Return a sketch of a metagenome: errors that were seen once or twice, and genomes of different depths."""
    random = np.random.default_rng((seed, ksize))
    loss = 1 - ksize / 160
    parts = [1 + random.poisson(0.08, errors)]
    parts += [1 + random.poisson(depth * loss, int(number * (1 + ksize / 90))) for number, depth in GENOMES]
    abundances = np.concatenate([*parts, 1 + random.geometric(0.08, 2500)]).astype(np.uint64)
    hashes = np.unique(random.integers(1, MAX_HASH, 2 * len(abundances), dtype=np.uint64))[: len(abundances)]
    random.shuffle(abundances)
    return Sketch(ksize, 42, MAX_HASH, hashes, abundances)


@dataclass
class ServedHome:
    """The home, while it is made."""

    path: Path
    ledger: Ledger

    @property
    def store(self) -> LocalStore:
        """The local store."""
        return LocalStore(self.path / "signatures")

    def published(self, name: str, trust: Trust = Trust.COMPUTED, seed: int = 1, errors: int = 21_000) -> Published:
        """Write a signature into the store; return what is recorded of it."""
        sketches = [spectrum_sketch(ksize, seed, errors) for ksize in (21, 31, 51)]
        path = self.store.path(Accession(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_signature(Accession(name), sketches, file)
        made = provenance(
            name,
            digest=digest(sketches),
            sketches=tuple(
                SketchSummary(one.ksize, len(one.hashes), int(np.asarray(one.abundances).sum()), one.md5sum())
                for one in sketches
            ),
            spots=1_204_000, spots_passed=1_203_611, reads=2_407_222, bases=240_722_200, source_size=96_112_045,
            url=f"https://sra-pub-run-odp.s3.amazonaws.com/sra/{name}/{name}", format="normalized",
            proved_by="column-md5s", proof="5" * 64, source_md5="9" * 32, identified=True, engine="kernel",
            decoders=("libncbi-vdb",), tools={"wort": "0.1.0", "sourmash": "4.9.4", "libncbi-vdb": "3.2.1"},
            seconds=21.4, started_at=time.time() - 7200,
            host=HOSTILE if trust is Trust.PUBLISHED else "node17",
        )  # fmt: skip
        content = path.read_bytes()
        return Published(
            self.store.key(Accession(name)), len(content), made, trust=trust, sha256=hashlib.sha256(content).hexdigest()
        )

    def record_large(self, name: str, size: int) -> bytes:
        """Record a file of so many bytes as the signature of a run, and return the sha256 of it.

        It has the head of gzip only, because the server compares the bytes with the record and does not read them.
        """
        path, block = self.store.path(Accession(name)), np.random.default_rng(1).bytes(1_000_000)
        path.parent.mkdir(parents=True, exist_ok=True)
        made = hashlib.sha256()
        with path.open("wb") as file:
            for start in range(0, size, len(block)):
                part = block[: size - start] if start else b"\x1f\x8b" + block[2 : min(size, len(block))]
                file.write(part)
                made.update(part)
        record = Published(self.store.key(Accession(name)), size, provenance(name), sha256=made.hexdigest())
        with self.ledger.transaction():
            self.ledger.catalog.record(record)
        return made.digest()

    def enqueue(self, name: str, group: str = "", priority: int = 0) -> int:
        """Enqueue a run; return the number of its job."""
        (answer,) = self.ledger.jobs.enqueue([JobRequest(Source(Accession(name)), PROFILE, priority, group)])
        assert answer.job_id is not None
        return answer.job_id

    def claim(self, job_id: int) -> int:
        """Start a job; return the number of the attempt."""
        job = self.ledger.attempts.claim(job_id, "me", 3600)
        assert job is not None
        return job.attempt

    def finish(self, job_id: int, published: Published | None = None, failure: Failure | None = None) -> None:
        """End the attempt of a queued job."""
        result = JobResult(job_id, self.claim(job_id), published=published, failure=failure)
        self.ledger.attempts.finish(result, RetryPolicy())

    def submit(self, name: str) -> None:
        """Record a submission."""
        content = valid_signature()
        self.ledger.submissions.add(
            Submission(
                Accession(name), PROFILE, "e" * 64, Trust.UNVERIFIED, f"submitted/{'e' * 64}/{name}.sig", len(content),
                hashlib.sha256(content).hexdigest(), HOSTILE, time.time(), HOSTILE, "", SourceCheck.NOT_CHECKED,
                HOSTILE,
            )
        )  # fmt: skip

    def fill(self) -> None:
        """Make the jobs and the signatures."""
        self.finish(self.enqueue(DONE, GROUP), self.published(DONE))
        with self.ledger.transaction():
            self.ledger.catalog.record(self.published(FOUND, Trust.PUBLISHED, seed=2, errors=9000))
            self.ledger.catalog.record(self.published(REFUTED, Trust.MISMATCH, seed=3, errors=500))
        self.fail(FAILED, Reason.CORRUPT, f"the md5 of the column READ is wrong {HOSTILE}")
        self.fail(UNAVAILABLE, Reason.WITHDRAWN, "the submitters withdrew it on 2021-03-04")
        self.fail(WAITING, Reason.NETWORK, "no answer from locate.ncbi.nlm.nih.gov")
        self.ledger.jobs.cancel([self.enqueue(CANCELLED, GROUP)])
        running = self.enqueue(RUNNING, GROUP)
        attempt, now = self.claim(running), time.time()
        for seconds, spots in ((90.0, 100_000), (0.0, 620_000)):
            progress = Progress("sketching", spots, 1_000_000, spots * 300, now - seconds)
            self.ledger.attempts.report_progress(running, attempt, progress)
        for name in QUEUED:
            self.enqueue(name, HOSTILE_GROUP, 5)
        self.submit(SUBMITTED)
        names = (DONE, FOUND, FAILED, UNAVAILABLE, WAITING, RUNNING)
        self.ledger.runs.record([(replace(SOIL, run=name), "ENA") for name in names])
        self.ledger.runs.record([(RunMetadata(FAILED, organism=HOSTILE, model=HOSTILE), "a table")])

    def fail(self, name: str, reason: Reason, message: str) -> None:
        """Enqueue a run whose attempt fails."""
        self.finish(self.enqueue(name, GROUP), failure=Failure(reason, message))

    def add_many_jobs(self, number: int) -> None:
        """Queue so many runs, at once."""
        numbers = f"WITH RECURSIVE n (i) AS (SELECT 3000000 UNION ALL SELECT i + 1 FROM n WHERE i < {2999999 + number})"
        with self.ledger.transaction():
            self.ledger.storage.connection.execute(
                f"INSERT INTO jobs (name, profile, created_at) {numbers} "
                f"SELECT 'SRR' || i, '{PROFILE}', 1795780800.0 + i FROM n"
            )

    def add_jobs(self, names: Iterable[str], group: str = "") -> None:
        """Enqueue many runs."""
        self.ledger.jobs.enqueue([JobRequest(Source(Accession(name)), PROFILE, 0, group) for name in names])


def make_served_home(path: Path) -> None:
    """Make the home in a directory."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    ledger = Ledger(path / "ledger.db")
    ServedHome(path, ledger).fill()
    ledger.close()


@contextmanager
def served_home(root: Path) -> Iterator[Home]:
    """Make such a home for commands that run as subprocesses; end it."""
    home = Home(root)
    make_served_home(home.path)
    yield home
    home("cancel", RUNNING)  # nothing runs it
    home.end()
