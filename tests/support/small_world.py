"""A home and a bucket in this process, in which runs are sketched at once: for tests of who is believed.

Commands, ledger, stores and the stages that publish are the real ones.  Only the reads of a run are replaced: its
sketches are known (`reference_sketches`).
"""

import contextlib
import gzip
import hashlib
import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from tests.support.builders import provenance
from tests.support.memory_store import MemoryStore
from tests.support.signatures import random_sketch
from wort_cli import cli
from wort_cli.commands.shared.checking.repair import check_home
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession
from wort_cli.model.job_result import Published
from wort_cli.model.provenance import SignatureRecord, Trust
from wort_cli.model.signature_file import Sketch, digest
from wort_cli.pipeline import bucket
from wort_cli.pipeline import run as run_module
from wort_cli.pipeline.archives.obtain import ProvedBy
from wort_cli.pipeline.archives.prove import ArchiveProof
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.seal import write_signature
from wort_cli.pipeline.sealing import publish_sealed
from wort_cli.pipeline.verification import verify
from wort_cli.settings import Settings, load_settings
from wort_cli.stores import s3
from wort_cli.stores.bucket_layout import Checksums, headers_of
from wort_cli.stores.local import LocalStore

PROFILE = "sra-v1"


def reference_sketches(name: str) -> tuple[Sketch, ...]:
    """Return the sketches of a run."""
    return tuple(random_sketch(ksize, int(name[3:])) for ksize in (21, 31, 51))


def wrong_sketches(name: str) -> tuple[Sketch, ...]:
    """Return sketches that differ from those of a run by one abundance."""
    first, *others = reference_sketches(name)
    abundances = first.abundances if first.abundances is not None else np.ones(0, np.uint64)
    return (replace(first, abundances=abundances + np.uint64(1)), *others)


def signature_bytes(name: str, sketches: Sequence[Sketch]) -> bytes:
    """Return the bytes of a signature as wort writes it."""
    file = io.BytesIO()
    write_signature(name, sketches, file)
    return file.getvalue()


def reference(name: str) -> bytes:
    """Return the bytes of the right signature of a run."""
    return signature_bytes(name, reference_sketches(name))


def wrong(name: str) -> bytes:
    """Return the bytes of a valid signature with the name of a run, which is not that of the run."""
    return signature_bytes(name, wrong_sketches(name))


def renamed(content: bytes, name: str, new: str) -> bytes:
    """Return a signature with another name."""
    return gzip.compress(
        gzip.decompress(content).replace(f'"name":"{name}"'.encode(), f'"name":"{new}"'.encode()), mtime=0
    )


@dataclass(frozen=True)
class Result:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str


class SmallWorld:
    """A home that publishes to a bucket in memory, if there is one."""

    def __init__(self, root: Path, objects: MemoryStore | None) -> None:
        self.root = root
        self.objects = objects
        self.env = {
            "WORT_HOME": str(root),
            "WORT_S3_BUCKET": "wort-test",
            "WORT_S3_PRESET": "off",
            "HOME": str(root),
            "WORT_DOWNLOAD": "toolkit",
        }
        self.settings: Settings = load_settings(self.env)
        self.settings.make_directories()
        self.store = LocalStore(self.settings.store_dir)

    def __call__(self, *words: str, env: Mapping[str, str] | None = None) -> Result:
        """Run a command in this process."""
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
        with (
            stubbed_reads(self.objects),
            mock.patch.dict("os.environ", {**self.env, **(env or {})}),
            mock.patch.object(sys, "stdout", out),
            mock.patch.object(sys, "stderr", err),
        ):
            code = cli.run(list(words))
            out.flush()
            err.flush()
        texts = [stream.buffer.getvalue().decode(errors="replace") for stream in (out, err)]
        assert "unexpected error" not in texts[1], texts[1]
        return Result(code, *texts)

    def repair(self) -> None:
        """Do what `wort doctor --repair` does with the home; it would also run the tools of the SRA toolkit."""
        for _ in check_home(self.settings, repair=True, full=True):
            pass

    def record(self, name: str) -> SignatureRecord | None:
        """Return what the catalog has of a run."""
        with contextlib.closing(Ledger(self.settings.ledger_file)) as ledger:
            return ledger.catalog.get(Accession(name), PROFILE)

    def trust(self, name: str) -> str:
        """Return the trust of a run's signature; empty if the catalog has none."""
        record = self.record(name)
        return str(record.trust) if record else ""

    def job(self, name: str) -> tuple[str, str]:
        """Return state and reason of the newest job of a run."""
        with contextlib.closing(Ledger(self.settings.ledger_file)) as ledger:
            job = ledger.jobs.named(Accession(name))[0]
        return str(job.state), str(job.reason or "")

    def file(self, name: str) -> Path:
        """Return the file of a run in the local store."""
        return self.store.path(Accession(name))


def publish_elsewhere(objects: MemoryStore, run: str, sketches: Sequence[Sketch], **changes: Any) -> None:
    """Publish a signature with its provenance as another home does; `changes` replace parts of the provenance."""
    content = signature_bytes(run, sketches)
    made = replace(provenance(run, digest=digest(sketches), host="sra-node-1"), **changes)
    checksums = Checksums(len(content), hashlib.sha256(content).hexdigest(), hashlib.md5(content).hexdigest())
    headers = headers_of(replace(made, name=run), checksums, Trust.COMPUTED)
    objects.edit(f"sigs/{run}.sig", content, **dict(headers.metadata or {}))
    objects.edit(f"prov/{run}.json", json.dumps(made.to_json()).encode())


class KnownRun:
    """A run whose sketches are known, in place of its archive."""

    def __init__(self, name: str) -> None:
        self.reads = mock.Mock(sketches=reference_sketches(name), stats=mock.Mock(bases=1))
        self.archive = mock.Mock(format="")
        self.proof = ArchiveProof(ProvedBy.ARCHIVE_SUM)


def sketch_known_run(attempt: Attempt, _: object) -> Any:
    """Return the run of a job, in place of `sketch_run`."""
    return KnownRun(str(attempt.spec.source.name))


def publish_known_run(attempt: Attempt, _: object) -> Published:
    """Seal and publish the right signature of a job, in place of `seal_and_publish`."""
    name = str(attempt.spec.source.name)
    attempt.workspace.sealed.write_bytes(reference(name))
    made = provenance(name, digest=digest(reference_sketches(name)))
    return publish_sealed(attempt, attempt.workspace.sealed, made)


@contextlib.contextmanager
def stubbed_reads(objects: MemoryStore | None) -> Iterator[None]:
    """Let jobs of this process use the bucket in memory, if there is one, and runs whose sketches are known."""

    def no_cause(*_: object) -> str:
        return "it differs"

    with contextlib.ExitStack() as stack:
        for module in (run_module, verify):
            stack.enter_context(mock.patch.object(module, "sketch_run", sketch_known_run))
            stack.enter_context(mock.patch.object(module, "seal_and_publish", publish_known_run))
        stack.enter_context(mock.patch.object(verify, "diagnose", no_cause))
        stack.enter_context(mock.patch.object(verify, "format_that_matches", no_cause_of_format))
        stack.enter_context(mock.patch.object(Attempt, "tools", lambda _: contextlib.nullcontext()))
        stack.enter_context(mock.patch.object(bucket, "TICK", 0.002))
        if objects is not None:
            stack.enter_context(mock.patch.object(s3, "S3Store", lambda *_: objects))
        yield


def no_cause_of_format(*_: object) -> str:
    """Return that the other format does not match either."""
    return ""
