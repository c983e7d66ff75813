"""Builders of values that several tests need."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from time import monotonic, sleep
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.polling import LONGEST
from wort_cli.model.accession import parse_name
from wort_cli.model.job import JobRequest, Source
from wort_cli.model.job_result import Published
from wort_cli.model.provenance import Provenance, SketchSummary
from wort_cli.model.signature_file import Sketch
from wort_cli.pipeline.job_spec import JobSpec, Method, TimeLimits

PROFILE = "sra-v1"
MAX_HASH = 18446744073709552
"""The largest hash of scaled=1000."""
TOOLS = Path(sys.executable).parent
"""The directory of the commands of this environment."""


def eventually(condition: Callable[[], bool], seconds: float = LONGEST) -> bool:
    """Return whether a condition becomes true in time."""
    deadline = monotonic() + seconds
    while not condition():
        if monotonic() > deadline:
            return False
        sleep(0.01)
    return True


def request(name: str = "SRR139146", archive: Path | None = None, priority: int = 0, group: str = "") -> JobRequest:
    return JobRequest(Source(parse_name(name), archive), PROFILE, priority, group)


def provenance(name: str = "SRR139146", **changes: Any) -> Provenance:
    known: dict[str, Any] = {
        "name": name,
        "profile": PROFILE,
        "digest": "d" * 64,
        "sketches": (SketchSummary(21, 2, 3, "0" * 32), SketchSummary(31, 0, 0, "1" * 32, "few-kmers")),
        "spots": 10,
        "spots_passed": 9,
        "reads": 18,
        "bases": 1800,
        "source": "remote",
        "source_size": 1234,
        "source_sha256": "",
        "source_mtime": 0.0,
        "validated": False,
        "tools": {"wort": "0.1.0"},
        "argv": ("fastq-dump", "-Z", name),
        "slices": 1,
        "engine": "sourmash",
        "started_at": 1700000000.5,
        "seconds": 1.25,
        "host": "here",
    }
    return Provenance(**{**known, **changes})


def published(name: str = "SRR139146", **changes: Any) -> Published:
    return Published(f"sigs/{name[:6]}/{name}.sig", 99, provenance(name, **changes))


def job_spec(root: Path, archive: Path | None = None) -> JobSpec:
    """Return the spec of a job whose files are all below a directory."""
    return JobSpec(
        job_id=1, attempt=1, source=Source(parse_name("SRR139146"), archive), profile="sra-v1",
        workspace=root / "work", store=root / "store", log=root / "logs" / "1.log", archives=(), threads=1,
        method=Method("kernel", "auto", slice_bases=1), time_limits=TimeLimits(1.0, 1.0),
    )  # fmt: skip


def numbers(values: Sequence[int]) -> NDArray[np.uint64]:
    return np.array(values, dtype=np.uint64)


def sketch(
    hashes: Sequence[int] = (1, 2, 3),
    abundances: Sequence[int] | None = (4, 5, 6),
    ksize: int = 21,
    max_hash: int = MAX_HASH,
) -> Sketch:
    return Sketch(ksize, 42, max_hash, numbers(hashes), None if abundances is None else numbers(abundances))


def random_reads(number: int, length: int, seed: int = 1) -> list[str]:
    rng = Random(seed)
    return ["".join(rng.choices("ACGT", k=length)) for _ in range(number)]


def is_process_running(pid: int) -> bool:
    """Return whether a process is running; a zombie is not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def clean_environment(**variables: str) -> dict[str, str]:
    """Return the environment without its WORT_ variables, with `variables` added; public signatures are off."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WORT_")}
    return {**kept, "WORT_S3_PRESET": "off", **variables}
