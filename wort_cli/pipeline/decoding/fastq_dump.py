"""Decodes slices of an archive with fastq-dump, and checks that its output was complete.

The output alone never proves that it is complete: fastq-dump stops cleanly at the end of a record when it receives
SIGTERM.  The proof is an exit code of 0, with exactly one pair of lines `Read N spots` and `Written M spots` on stderr.
"""

import contextlib
import re
from collections.abc import Callable, Iterator

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.profile import Profile
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.pipeline.decoding.read_types import have_biological_reads
from wort_cli.pipeline.decoding.tool_output import ToolOutput
from wort_cli.pipeline.sketching.engine import FastaReader
from wort_cli.pipeline.sketching.read_stats import ReadStats
from wort_cli.pipeline.sketching.slice_decoder import (
    TEXT_SIZE,
    UNKNOWN,
    DecoderCounts,
    NeedsWholeRun,
    SliceCrashed,
)
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.pipeline.toolkit.tool_errors import explain, is_crash
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.system.cancellation import Cancellation

HEADERS = ("--defline-seq", ">$si.$ri")
"""Write headers with spot and read only, from which the readers count spots.  Short headers mean less to copy."""
READ_LINE = re.compile(r"^Read (\d+) spots for ", re.MULTILINE)
WRITTEN_LINE = re.compile(r"^Written (\d+) spots for ", re.MULTILINE)


class FastqDump:
    """A fastq-dump process that writes the reads of a slice as FASTA, with the flags of a profile."""

    def __init__(self, archive: Archive, profile: Profile, tools: ToolGroup, stall_timeout: float, part: Slice) -> None:
        self._archive = archive
        self._part = part
        self._tools = tools
        self._stall_timeout = stall_timeout
        self._is_whole = part.spots == archive.spots
        spots = () if self._is_whole else ("-N", str(part.first), "-X", str(part.last))
        argv = ("fastq-dump", *HEADERS, *spots, *profile.decode_flags, archive.argument)
        self._output = ToolOutput(tools, argv, stall_timeout, on_disk=archive.is_on_disk)

    def chunks(self, cancellation: Cancellation) -> Iterator[bytes]:
        """Yield the FASTA in pieces; see ToolOutput."""
        return self._output.chunks(cancellation)

    def finish(self, cancellation: Cancellation) -> DecoderCounts:
        """Return the counts that fastq-dump reports at its end.

        Raises JobFailed unless it reports success; NeedsWholeRun if it may succeed, or write other reads, when it reads
        all spots.
        """
        code = self._output.wait(cancellation)
        stderr = self._output.stderr
        read, written = READ_LINE.findall(stderr), WRITTEN_LINE.findall(stderr)
        if code != 0:
            failure = explain("fastq-dump", code, stderr)
            if is_crash(code, stderr):
                raise SliceCrashed(failure.reason, failure.detail)
            self._check_read_types(cancellation)
            raise JobFailed(failure.reason, failure.detail)
        if len(read) != 1 or len(written) != 1:
            raise JobFailed(Reason.INCOMPLETE, "fastq-dump exited without reporting how many spots it read and wrote")
        counts = DecoderCounts(int(read[0]), int(written[0]))
        if counts.written < counts.read:
            self._check_read_types(cancellation)
        return counts

    def _check_read_types(self, cancellation: Cancellation) -> None:
        """Raise NeedsWholeRun for a part of the run, unless each spot is known to have a biological read."""
        if self._is_whole:
            return
        with contextlib.suppress(JobFailed):  # then it is not known
            if have_biological_reads(self._archive, self._part, self._tools, self._stall_timeout, cancellation):
                return
        first, last = self._part.first, self._part.last
        raise NeedsWholeRun(f"of the spots {first} to {last}, one has no biological read, or its types are unknown")


class FastqDumpDecoder:
    """Decodes a slice with fastq-dump; see SliceDecoder."""

    name = "fastq-dump"

    def __init__(self, fastq_dump: FastqDump, reader: FastaReader) -> None:
        self._fastq_dump = fastq_dump
        self._reader = reader

    @property
    def stats(self) -> ReadStats:
        """See SliceDecoder."""
        return self._reader.stats

    def texts(self, cancellation: Cancellation) -> Iterator[bytes]:
        """See SliceDecoder."""
        pieces = map(self._reader.feed, self._fastq_dump.chunks(cancellation))
        return cut_between_reads(pieces, self._reader.finish, self._reader.separator)

    def finish(self, cancellation: Cancellation) -> DecoderCounts:
        """See SliceDecoder."""
        return self._fastq_dump.finish(cancellation)


def cut_between_reads(
    texts: Iterator[bytes], finish: Callable[[], bytes], separator: bytes = UNKNOWN
) -> Iterator[bytes]:
    """Yield `texts`, then `finish()`, in pieces of about TEXT_SIZE bytes that end where a read ends.

    That is before a separator.
    """
    rest: list[bytes] = []
    size = 0
    for text in texts:
        rest.append(text)
        size += len(text)
        if size < TEXT_SIZE:
            continue
        joined = b"".join(rest)
        end = joined.rfind(separator)
        if end > 0:
            yield joined[:end]
        rest, size = [joined[max(end, 0) :]], len(joined) - max(end, 0)
    yield b"".join(rest) + finish()
