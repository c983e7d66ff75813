"""Finds out with vdb-dump(1) whether each spot of a slice has a biological read.

If not, the reads that fastq-dump writes of the slice may depend on spots of other slices: see NeedsWholeRun.
"""

from collections.abc import Iterator, Sequence

from wort_cli.pipeline.archives.counts import CONSENSUS
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.pipeline.decoding.tool_output import ToolOutput
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.system.cancellation import Cancellation

TABLES = (("-T", CONSENSUS), ())
"""Options that choose the table which fastq-dump dumps: CONSENSUS of a database that has one, else the default."""


def have_biological_reads(
    archive: Archive, part: Slice, tools: ToolGroup, stall_timeout: float, cancellation: Cancellation
) -> bool:
    """Return whether each spot of a slice is known to have a biological read, whether it passes the filter or not.

    Raises Cancelled, or JobFailed as ToolOutput.
    """
    for table in TABLES:
        argv = ("vdb-dump", *table, "-C", "READ_TYPE", "-f", "tab", "-R", f"{part.first}-{part.last}", archive.argument)
        output = ToolOutput(tools, argv, stall_timeout, on_disk=archive.is_on_disk)
        spots, biological = count_spots(output.chunks(cancellation))
        if output.wait(cancellation) == 0:
            return spots == biological == part.spots
        if spots:
            break
    return False


def count_spots(chunks: Iterator[bytes]) -> tuple[int, int]:
    """Return the number of lines of an output, one for each spot, and how many of them have a biological read."""
    spots = biological = 0
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        spots += len(lines)
        biological += count_biological(lines)
    return spots + bool(rest), biological + count_biological([rest])


def count_biological(lines: Sequence[bytes]) -> int:
    """Return how many lines have a type such as SRA_READ_TYPE_BIOLOGICAL|SRA_READ_TYPE_REVERSE."""
    return sum(b"_BIOLOGICAL" in line for line in lines)
