"""The provenance of a signature as text, for `wort view`."""

from wort_cli.commands.shared.showing import render
from wort_cli.model.provenance import Provenance
from wort_cli.model.units import format_bytes

SHOWN_FILES = 20
"""Files that are listed, at most."""


def describe_tools(made: Provenance) -> str:
    """Return the versions of the tools that matter."""
    tools = ("wort", "sourmash", "fastq-dump", "libncbi-vdb")
    return ", ".join(f"{tool} {made.tools[tool]}" for tool in tools if tool in made.tools)


def describe_files(made: Provenance) -> dict[str, str]:
    """Return a line for each of the first files of reads that a signature was made from."""
    lines = {}
    if made.assembly:
        status = made.assembly.get("status") or "not listed in an assembly summary"
        lines["assembly"] = f"{status} ({made.assembly.get('listed_in', 'unknown')}), proved by {made.proved_by}"
    for number, file in enumerate(made.files[:SHOWN_FILES], 1):
        packed = f", {file.compression}" if file.compression else ""
        size = f"{format_bytes(file.size)} of {file.format}{packed}, {render.count(file.reads, 'read')}"
        lines[f"file {number}"] = f"{file.path}: {size}, sha256 {file.sha256}"
    if len(made.files) > SHOWN_FILES:
        lines["files"] = f"{len(made.files):,}; `--json` shows all"
    return lines


def describe_reads(made: Provenance) -> str:
    """Return the counts of the reads of a signature, and what is unusual about them."""
    text = f"{made.reads:,}, {made.bases:,} bases"
    if made.reads_left_out:
        text += f"; the recipe leaves out {made.reads_left_out:,} reads of spots with too many"
    if made.colour_space:
        text += "; the bases were guessed from colours (SOLiD)"
    return text
