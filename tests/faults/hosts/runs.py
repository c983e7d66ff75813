"""The runs of a campaign: their archives, their reference signatures, and a decoder that is slow for some of them."""

import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from tests.faults import slow
from tests.support.archives import make_archive, reference_signature
from tests.support.homes import FASTQ_DUMP, Home
from tests.support.shelf import gunzipped

LAYOUTS = ("paired_illumina", "single_illumina", "clipped")
"""The layouts of the archives, which the runs have in turn."""
BYTES_A_SECOND = 30_000
"""The rate of the decoder's output for a long run: about 15 seconds for an archive of paired reads."""


class Runs:
    """Archives in one directory, and the reference signature of each run."""

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        self.directory = root / "archives"
        self.directory.mkdir()
        self.references: dict[str, bytes] = {}
        for i, layout in enumerate(LAYOUTS):
            mine = names[i :: len(LAYOUTS)]
            if mine:
                archive = make_archive(layout, root / f"{layout}.sra", seed=1)
                text = gunzipped(reference_signature(archive, mine[0], root / f"{layout}.sig"))
                for name in mine:
                    (self.directory / f"{name}.sra").hardlink_to(archive)
                    self.references[name] = text.replace(mine[0].encode(), name.encode())


def slow_decoder(home: Home, runs: Collection[str]) -> dict[str, str]:
    """Return an environment in which fastq-dump is slow for some runs."""
    script = f"""
for last; do :; done
case " $* " in *" --fasta "*) ;; *) exec {FASTQ_DUMP} "$@" ;; esac
case $(basename -- "$last" .sra) in {"|".join(runs)}) ;; *) exec {FASTQ_DUMP} "$@" ;; esac
set -o pipefail
{FASTQ_DUMP} "$@" | {sys.executable} -I -S {slow.__file__} {BYTES_A_SECOND}
"""
    return home.with_tool("fastq-dump", script)
