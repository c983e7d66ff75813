"""Counts the spots and bases of an archive: those of the table that fastq-dump dumps.

The loader has written the counts into the metadata of each table, as `STATS/TABLE/SPOT_COUNT` and so on.  Of a plain
archive on disk they are read from there; of any other archive, sra-stat(1) reports them.  It also lists the sequences
outside of an archive that its aligned reads refer to.  If some of them are inside, perhaps all are, which can be found
out in this process once the archive was proved (decoding/references_inside.py).

fastq-dump dumps the table CONSENSUS of a database that has one, which sra-stat does not count, else SEQUENCE.

Sources: sra-tools tools/external/sra-stat/sra-stat.c (get_stats_meta, srastatmeta_print),
tools/external/sra-dump/core.c (consensus_table_name).
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from wort_cli.model.failure import Failure, JobFailed, Reason
from wort_cli.pipeline.archives.checksums import ReadExtent
from wort_cli.pipeline.archives.column_proof import NotProvable, join, read_contents, reader_of
from wort_cli.pipeline.archives.columns import FASTQ_DUMP
from wort_cli.pipeline.archives.kar import Extent, KarError
from wort_cli.pipeline.archives.metadata import MAX_METADATA, Node, find_node
from wort_cli.pipeline.archives.reference_store import Reference
from wort_cli.pipeline.archives.structure import TABLES
from wort_cli.pipeline.toolkit.tool_errors import explain
from wort_cli.pipeline.toolkit.tools import LOG_INFO, ToolGroup, ToolRun

REFERENCE = re.compile(r'^\s*<Ref seqId="([^"\n]*)" .*\blocal="remote"(?: path="(.*)")?/>$', re.MULTILINE)
COUNTS = re.compile(r'^<Run .*" spot_count="(\d+)" base_count="(\d+)"', re.MULTILINE)
SIZE = re.compile(r'^\s*<Size value="(\d+)"', re.MULTILINE)
ROWS = re.compile(r"row-count = ([\d,]+)")
"""The output of `vdb-dump --id_range`."""
CONSENSUS, SEQUENCE = "CONSENSUS", "SEQUENCE"
PLAIN_TABLES = frozenset({CONSENSUS, SEQUENCE, "PASSES", "ZMW_METRICS"})
"""The tables of databases whose reads need no other archive (ncbi-vdb interfaces/sra/pacbio.vschema)."""
INSIDE = "tbl/REFERENCE/col/CMP_READ/data"
"""The bases of references that are inside an archive."""


@dataclass(frozen=True)
class Counts:
    """Spots, bases, bytes (0 if unknown) of an archive, and the references outside of it."""

    spots: int
    bases: int
    size: int = 0
    references: tuple[Reference, ...] = ()
    is_unlisted: bool = False
    """Whether the references are not listed yet."""


def read_counts(
    argument: str, tools: ToolGroup, deadline: float, *, on_disk: bool, lists_later: bool = False
) -> Counts:
    """Return the counts of an archive: a path if it is `on_disk`, else an accession.

    If `lists_later`, references of an archive that has some inside are left to be listed later.

    Raises JobFailed if it has none, or if no tool can read it; TimeoutError after `deadline`.
    """
    tables = tables_of(Path(argument)) if on_disk else None
    if tables is not None and tables.dumped is not None and tables.are_plain:
        return tables.dumped
    if tables is not None and tables.dumped is not None and tables.has_references and lists_later:
        return replace(tables.dumped, is_unlisted=True)
    counts = counts_by_sra_stat(argument, tools, deadline, on_disk=on_disk)
    if tables is not None and tables.has_consensus:
        if tables.dumped is not None:
            return replace(counts, spots=tables.dumped.spots, bases=tables.dumped.bases)
        return replace(counts, spots=rows_of_consensus(argument, tools, deadline))
    return counts


# Metadata ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tables:
    """Counts according to the table of contents and the metadata of an archive."""

    are_plain: bool
    """Whether no other archive is needed to read it."""
    has_consensus: bool
    has_references: bool
    """Whether references of aligned reads are inside it, at least some, and no table is unknown."""
    dumped: Counts | None
    """The counts of the table that fastq-dump dumps; None if its metadata has none."""


def tables_of(path: Path) -> Tables | None:
    """Return what an archive on disk says about its tables; None if it is damaged or of an unknown form."""
    try:
        with path.open("rb") as file:
            read = reader_of(file)
            table = read_contents(path.stat().st_size, read, FASTQ_DUMP).table
            names = {name.split("/")[1] for name in table if name.startswith("tbl/")}
            dumped = CONSENSUS if CONSENSUS in names else SEQUENCE
            metadata = f"tbl/{dumped}/md/cur" if names else "md/cur"
            counts = counts_in(metadata, table, read)
            inside = names <= TABLES and INSIDE in table and table[INSIDE].size > 0
            return Tables(names <= PLAIN_TABLES, CONSENSUS in names, inside, counts)
    except (OSError, NotProvable, KarError):
        return None


def counts_in(path: str, table: Mapping[str, Extent], read: ReadExtent) -> Counts | None:
    """Return the counts in a file of metadata; None if it has none, or if those of its spot groups differ from them.

    sra-stat adds up the counts of the spot groups.
    """
    if path not in table or not 0 < table[path].size <= MAX_METADATA:
        return None
    metadata = join(read(table[path]))
    whole = find_node(metadata, "STATS/TABLE")
    groups = find_node(metadata, "STATS/SPOT_GROUP")
    counts = stats_of(whole) if whole else None
    if counts is None or groups is None or not groups.children:
        return counts
    parts = [stats_of(node) for node in groups.nodes()]
    spots = sum(part.spots for part in parts if part)
    bases = sum(part.bases for part in parts if part)
    return counts if None not in parts and (spots, bases) == (counts.spots, counts.bases) else None


def stats_of(node: Node) -> Counts | None:
    """Return the counts below a node; None if one is missing, without which sra-stat counts the rows itself."""
    numbers = [child.number() if (child := node.child(name)) else None
               for name in ("SPOT_COUNT", "BASE_COUNT", "BIO_BASE_COUNT")]  # fmt: skip
    spots, bases, biological = numbers
    return None if spots is None or bases is None or biological is None else Counts(spots, bases)


# Tools ---------------------------------------------------------------------------------------------------------------


def counts_by_sra_stat(argument: str, tools: ToolGroup, deadline: float, *, on_disk: bool) -> Counts:
    """Return the counts that sra-stat(1) reports; JobFailed if it reports none.

    A regular expression reads them, not an XML parser: sra-stat does not escape the path of the archive.
    """
    log_level = () if on_disk else LOG_INFO
    argv = ["sra-stat", *log_level, "--quick", "--xml", argument]
    run = tools.run(argv, deadline - time.monotonic(), offline=on_disk)
    counts = COUNTS.search(run.stdout)
    if counts is None:
        raise failed(run, on_disk=on_disk)
    size = SIZE.search(run.stdout)
    references = (Reference(name, Path(path) if path else None) for name, path in REFERENCE.findall(run.stdout))
    return Counts(int(counts[1]), int(counts[2]), int(size[1]) if size else 0, tuple(references) if on_disk else ())


def rows_of_consensus(argument: str, tools: ToolGroup, deadline: float) -> int:
    """Return the number of rows of the table CONSENSUS of an archive on disk, which vdb-dump(1) reports."""
    run = tools.run(["vdb-dump", "-T", CONSENSUS, "--id_range", argument], deadline - time.monotonic(), offline=True)
    rows = ROWS.search(run.stdout)
    if rows is None:
        raise failed(run, on_disk=True)
    return int(rows[1].replace(",", ""))


def failed(run: ToolRun, *, on_disk: bool) -> JobFailed:
    """Return why a tool has counted nothing."""
    failure = explain_run(run)
    if on_disk and run.returncode > 0:  # a retry would read the same damaged file
        return JobFailed(Reason.INCOMPLETE, failure.detail, lasting=True)
    return JobFailed(failure.reason, failure.detail)


def explain_run(run: ToolRun) -> Failure:
    """Return why a tool failed."""
    return explain(run.argv[0], run.returncode, run.stderr)
