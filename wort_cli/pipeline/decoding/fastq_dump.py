"""Decodes slices of an archive with fastq-dump, and checks that its output was complete.

The output alone never proves that it is complete: fastq-dump stops cleanly at the end of a record when it receives
SIGTERM.  The proof is an exit code of 0, with exactly one pair of lines `Read N spots` and `Written M spots` on stderr.
"""

import contextlib
import fcntl
import re
import select
import time
from collections.abc import Callable, Iterator

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.profile import Profile
from wort_cli.pipeline.archives.locate import Archive
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
from wort_cli.pipeline.toolkit.tools import LOG_INFO, TICK, ToolGroup
from wort_cli.system.cancellation import Cancellation

CHUNK = 1 << 20
"""Bytes that are read from the pipe at a time, at most."""
HEADERS = ("--defline-seq", ">$si.$ri")
"""Write headers with spot and read only, from which the readers count spots.  Short headers mean less to copy."""
READ_LINE = re.compile(r"^Read (\d+) spots for ", re.MULTILINE)
WRITTEN_LINE = re.compile(r"^Written (\d+) spots for ", re.MULTILINE)


class FastqDump:
    """A fastq-dump process that writes the reads of a slice as FASTA, with the flags of a profile."""

    def __init__(self, archive: Archive, profile: Profile, tools: ToolGroup, stall_timeout: float, part: Slice) -> None:
        self._is_whole = part.spots == archive.spots
        spots = () if self._is_whole else ("-N", str(part.first), "-X", str(part.last))
        verbose = () if archive.is_on_disk else LOG_INFO
        argv = ("fastq-dump", *verbose, *HEADERS, *spots, *profile.decode_flags, archive.argument)
        self._tools = tools
        self._stall_timeout = stall_timeout
        self._stall_reason = Reason.TIMEOUT if archive.is_on_disk else Reason.NETWORK
        self._tool = tools.start(argv, offline=archive.is_on_disk)

    def chunks(self, cancellation: Cancellation) -> Iterator[bytes]:
        """Yield the FASTA in pieces of up to 1 MiB, until fastq-dump closes its output.

        Raises Cancelled; JobFailed if nothing arrives for `stall_timeout` seconds (network, or timeout if the archive
        is on disk); JobFailed(rate-limited) if a server asked for fewer requests.
        """
        stream = self._tool.stdout
        with contextlib.suppress(OSError):  # a larger pipe means fewer switches; an unprivileged user has a limit
            fcntl.fcntl(stream, fcntl.F_SETPIPE_SZ, CHUNK)
        poll = select.poll()
        poll.register(stream, select.POLLIN)
        last_data = time.monotonic()
        while True:
            self._tool.check_rate_limit()
            if poll.poll(TICK * 1000):
                data = stream.raw.read(CHUNK) if hasattr(stream, "raw") else stream.read(CHUNK)
                last_data = time.monotonic()
                if not data:
                    return
                yield data
            elif time.monotonic() - last_data > self._stall_timeout:
                raise JobFailed(self._stall_reason, f"fastq-dump wrote no read for {self._stall_timeout:g} seconds")
            cancellation.check()

    def finish(self, cancellation: Cancellation) -> DecoderCounts:
        """Return the counts that fastq-dump reports at its end.

        Raises JobFailed unless it reports success; NeedsWholeRun if it may succeed when it reads all spots.
        """
        try:
            code = self._tool.wait(cancellation, time.monotonic() + self._stall_timeout)
        except TimeoutError:
            why = f"fastq-dump closed its output and did not exit within {self._stall_timeout:g} seconds"
            raise JobFailed(self._stall_reason, why) from None
        stderr = self._tool.stderr
        self._tools.log(f"exit {code}\n{stderr}".rstrip())
        read, written = READ_LINE.findall(stderr), WRITTEN_LINE.findall(stderr)
        if code != 0:
            failure = explain("fastq-dump", code, stderr)
            if failure.reason is Reason.TECHNICAL_READS and not self._is_whole:
                raise NeedsWholeRun(failure.detail)
            failed = SliceCrashed if is_crash(code, stderr) else JobFailed
            raise failed(failure.reason, failure.detail)
        if len(read) != 1 or len(written) != 1:
            raise JobFailed(Reason.INCOMPLETE, "fastq-dump exited without reporting how many spots it read and wrote")
        return DecoderCounts(int(read[0]), int(written[0]))


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
