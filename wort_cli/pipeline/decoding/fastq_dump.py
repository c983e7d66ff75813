"""Streams the reads of an archive out of fastq-dump, as FASTA, and says whether the stream was whole.

A stream never proves itself complete: a fastq-dump that is ended by SIGTERM stops cleanly at the end of a record.  What
proves it is the single pair `Read N spots` / `Written M spots` on stderr of a decoder that exits 0.
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
from wort_cli.pipeline.sketching.engine import Reader
from wort_cli.pipeline.sketching.slice_reads import PIECE, Spots
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.pipeline.toolkit.tool_errors import explain
from wort_cli.pipeline.toolkit.tools import LOG_INFO, TICK, ToolGroup
from wort_cli.system.cancellation import Cancellation

CHUNK = 1 << 20
HEADERS = ("--defline-seq", ">$si.$ri")
"""Spot and read; the readers count spots by them."""
READ_LINE = re.compile(r"^Read (\d+) spots for ", re.MULTILINE)
WRITTEN_LINE = re.compile(r"^Written (\d+) spots for ", re.MULTILINE)


class Decoder:
    """fastq-dump with the flags of a profile, reading some spots of an archive.

    The headers are cut to what is needed (`--defline-seq`): the bases are the same, and there is less to pass on.
    """

    def __init__(self, archive: Archive, profile: Profile, tools: ToolGroup, stall_timeout: float, part: Slice) -> None:
        spots = () if part.spots == archive.spots else ("-N", str(part.first), "-X", str(part.last))
        telling = LOG_INFO if archive.path is None else ()
        argv = ("fastq-dump", *telling, *HEADERS, *spots, *profile.decode_flags, archive.argument)
        self._tools = tools
        self._stall_timeout = stall_timeout
        self._slow = Reason.NETWORK if archive.path is None else Reason.TIMEOUT
        self._tool = tools.start(argv)

    def chunks(self, cancellation: Cancellation) -> Iterator[bytes]:
        """The FASTA text in pieces of up to 1 MiB, until the decoder closes its output.

        Cancelled if it is; JobFailed(network), of a file timeout, if nothing comes for `stall_timeout` seconds;
        JobFailed(rate-limited) if a server wants to be asked less often.
        """
        stream = self._tool.stdout
        with contextlib.suppress(OSError):  # a larger pipe means fewer switches; an unprivileged user has a limit
            fcntl.fcntl(stream, fcntl.F_SETPIPE_SZ, CHUNK)
        poll = select.poll()
        poll.register(stream, select.POLLIN)
        heard = time.monotonic()
        while True:
            self._tool.check_rate_limit()
            if poll.poll(TICK * 1000):
                data = stream.raw.read(CHUNK) if hasattr(stream, "raw") else stream.read(CHUNK)
                heard = time.monotonic()
                if not data:
                    return
                yield data
            elif time.monotonic() - heard > self._stall_timeout:
                raise JobFailed(self._slow, f"fastq-dump gave no read for {self._stall_timeout:g} seconds")
            cancellation.check()

    def finish(self, cancellation: Cancellation) -> Spots:
        """What the decoder did, once its output has ended; JobFailed unless it says that all went well."""
        try:
            code = self._tool.wait(cancellation, time.monotonic() + self._stall_timeout)
        except TimeoutError:
            why = f"fastq-dump closed its output and did not end within {self._stall_timeout:g} seconds"
            raise JobFailed(self._slow, why) from None
        stderr = self._tool.stderr
        self._tools.log(f"exit {code}\n{stderr}".rstrip())
        read, written = READ_LINE.findall(stderr), WRITTEN_LINE.findall(stderr)
        if code != 0:
            failure = explain("fastq-dump", code, stderr)
            raise JobFailed(failure.reason, failure.detail)
        if len(read) != 1 or len(written) != 1:
            raise JobFailed(Reason.INCOMPLETE, "fastq-dump ended without saying what it read and wrote")
        return Spots(int(read[0]), int(written[0]))


class DumpedReads:
    """The reads of a slice, of what fastq-dump writes; see SliceReads."""

    decoder = "fastq-dump"

    def __init__(self, decoder: Decoder, reader: Reader) -> None:
        self._decoder = decoder
        self._reader = reader

    @property
    def spots(self) -> int:
        """See Seen."""
        return self._reader.spots

    @property
    def reads(self) -> int:
        """See Seen."""
        return self._reader.reads

    @property
    def bases(self) -> int:
        """See Seen."""
        return self._reader.bases

    @property
    def longest(self) -> int:
        """See Seen."""
        return self._reader.longest

    def texts(self, cancellation: Cancellation) -> Iterator[bytes]:
        """See SliceReads."""
        return pieces(map(self._reader.feed, self._decoder.chunks(cancellation)), self._reader.finish)

    def finish(self, cancellation: Cancellation) -> Spots:
        """See SliceReads."""
        return self._decoder.finish(cancellation)


def pieces(texts: Iterator[bytes], finish: Callable[[], bytes]) -> Iterator[bytes]:
    """Text in pieces of some PIECE bytes, which end where a read ends: at an N."""
    rest: list[bytes] = []
    size = 0
    for text in texts:
        rest.append(text)
        size += len(text)
        if size < PIECE:
            continue
        joined = b"".join(rest)
        end = joined.rfind(b"N")
        if end > 0:
            yield joined[:end]
        rest, size = [joined[max(end, 0) :]], len(joined) - max(end, 0)
    yield b"".join(rest) + finish()
