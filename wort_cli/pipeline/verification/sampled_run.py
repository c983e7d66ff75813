"""Fetches the slices of a quick verification, where the run is not on disk and its archive allows that.

The bytes that this takes do not grow with the run (archives/sample.py).  Where it is not possible, the caller fetches
the archive as for computing.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from wort_cli.model.accession import Accession
from wort_cli.model.failure import JobFailed
from wort_cli.model.profile import SRA_V1
from wort_cli.pipeline.archives.column_proof import NotProvable
from wort_cli.pipeline.archives.columns import VDB
from wort_cli.pipeline.archives.counts import Counts, read_counts
from wort_cli.pipeline.archives.http import HttpError
from wort_cli.pipeline.archives.locate import Archive, FetchedParts, find_on_disk
from wort_cli.pipeline.archives.sample import SampledFile, SampleObtainer
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.check import check_has_spots
from wort_cli.pipeline.decoding.decoder_choice import AUTO
from wort_cli.pipeline.download import ColumnsOnDemand, format_found, obtainer_of, wish_of
from wort_cli.pipeline.sketching.engine import KernelEngine
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.pipeline.verification.quick import choose_slices

SAMPLE = "sample"
"""The name of what was fetched, where others have the name of a decoder."""


@dataclass(frozen=True)
class SampledRun:
    """An archive of which only some slices can be read."""

    archive: Archive
    slices: tuple[Slice, ...]


def fetch_sample(attempt: Attempt, tools: ToolGroup) -> SampledRun | None:
    """Return slices of the job's run; None if the run is on disk, or if its archive must be fetched as usual."""
    spec = attempt.spec
    name = spec.source.name
    in_process = spec.method.decoder == AUTO and spec.method.engine == KernelEngine.name
    if spec.source.archive or not isinstance(name, Accession) or spec.download.download != "columns":
        return None
    if not in_process or attempt.profile.decode_flags != SRA_V1.decode_flags:
        return None
    deadline = time.monotonic() + spec.time_limits.resolve_timeout
    try:
        if find_on_disk(spec, tools, deadline) is not None:
            return None
        chosen = Chosen(tools, deadline)
        with obtainer_of(attempt, SampleObtainer, attempt.cancellation) as obtainer:
            obtained = obtainer.obtain_sample(
                wish_of(spec, name, VDB), attempt.workspace.archive_directory, chosen.choose
            )
        format = format_found(obtained, spec.download.quality)
    except (NotProvable, HttpError, JobFailed, TimeoutError) as why:
        attempt.log(f"slices alone cannot be fetched: {why}")
        return None
    attempt.log(f"{obtained.fetched:,} bytes of the archive are here: its slices, and what is needed to read them")
    counts, path = chosen.counts, obtained.path
    parts = FetchedParts(obtained, ColumnsOnDemand(attempt, name, SAMPLE).ensure)
    archive = Archive(str(path), path, counts.spots, counts.bases, obtained.size, format, fetched=parts)
    return SampledRun(archive, chosen.slices)


class Chosen:
    """Counts the spots of an archive, and chooses slices of them."""

    def __init__(self, tools: ToolGroup, deadline: float) -> None:
        self._tools = tools
        self._deadline = deadline
        self.counts = Counts(0, 0, 0)
        self.slices: tuple[Slice, ...] = ()

    def choose(self, file: SampledFile) -> Sequence[Slice]:
        """Return the slices to read.  Raises JobFailed if the spots cannot be counted, or NotProvable if aligned."""
        self.counts = read_counts(str(file.path), self._tools, self._deadline, on_disk=True)
        if self.counts.references:
            raise NotProvable("its reads are aligned")
        check_has_spots(
            Archive(str(file.path), file.path, self.counts.spots, self.counts.bases, file.size, str(file.format))
        )
        self.slices = choose_slices(self.counts.spots, self.counts.bases)
        return self.slices
