"""Runs of one read, and tools that answer about them as the SRA toolkit's do, but at once: little shell scripts.

For measuring what wort itself takes for a job.  Every accession resolves to the same small file.
"""

import os
from pathlib import Path

READ = "ACGTTGCAAGCTTGACCATGGTACCGATTTACGCCAGTCAAGGCATTACGGATCCATTGACCGTAAGCTA" * 2
TOOLS = {
    "vdb-config": "exit 3",  # so that srapath is asked
    "srapath": "echo {archive}",
    "sra-stat": """\
echo '<Run accession="SRR000001" spot_count="1" base_count="{bases}" base_count_bio="{bases}">'
echo '  <Size value="9" units="bytes"/>'
echo '</Run>'""",
    "vdb-validate": "echo \"$1: Database 'tiny.sra' is consistent\" >&2",
    "fastq-dump": """\
printf '>1.1\\n%s\\n' {read}
echo 'Read 1 spots for tiny
Written 1 spots for tiny' >&2""",
}


def names(number: int) -> list[str]:
    """Accessions of so many runs."""
    return [f"SRR{1_000_000 + i}" for i in range(number)]


def environment(work: Path) -> dict[str, str]:
    """Makes the tools in `work`, and returns what makes wort use them, with its home there."""
    tools, archive = work / "tools", work / "tiny.sra"
    tools.mkdir()
    archive.write_bytes(b"NCBI.sra\n")
    for name, answer in TOOLS.items():
        script = tools / name
        text = answer.format(archive=archive, read=READ, bases=len(READ))
        script.write_text(f'#!/bin/sh\n[ "$1" != --version ] || {{ echo "{name} : 3.0.3"; exit 0; }}\n{text}\n')
        script.chmod(0o755)
    return {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "WORT_HOME": str(work / "home"),
        "WORT_DECODER": "fastq-dump",
        "WORT_LOCATOR_URL": "off",
        "WORT_ACCEPT_UNPROVED": "true",
        "WORT_THREADS": "1",
        "VDB_CONFIG": str(work),
    }
