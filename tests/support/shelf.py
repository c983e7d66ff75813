"""Archives and reference signatures that all tests share; each is made once."""

import fcntl
import gzip
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.support.archives import (
    DECODE,
    LAYOUTS,
    flip_bit_in_reads,
    make_archive,
    make_paired,
    reference_signature,
    truncate,
)

WITHOUT_READS = ("all_filtered", "zero_spots")
WITH_READS = tuple(layout.name for layout in LAYOUTS if layout.name not in WITHOUT_READS)


class Shelf:
    """Archives and their reference signatures, each made once, by whichever of several test processes is first."""

    def __init__(self, root: Path) -> None:
        root.mkdir(exist_ok=True)
        self._root = root

    def _made(self, name: str, make: Callable[[Path], object]) -> Path:
        path, unfinished = self._root / name, self._root / "unfinished" / name
        with (self._root / f"{name}.lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                unfinished.parent.mkdir(exist_ok=True)
                make(unfinished)
                unfinished.rename(path)
        return path

    def archive(self, layout: str = "paired_illumina", seed: int = 1) -> Path:
        """An archive of a layout."""
        return self._made(f"{layout}-{seed}.sra", lambda out: make_archive(layout, out, seed=seed))

    def large(self, spots: int) -> Path:
        """A larger paired archive."""
        return self._made(f"large-{spots}.sra", lambda out: make_paired(out, spots=spots))

    def flipped(self) -> Path:
        """An archive with one wrong bit, which fastq-dump does not notice."""
        return self._made("flipped.sra", lambda out: flip_bit_in_reads(self.archive(), out))

    def truncated(self) -> Path:
        """The first half of an archive."""
        return self._made("truncated.sra", lambda out: truncate(self.archive(), out))

    def reference(self, archive: Path, name: str) -> bytes:
        """What the recipe's two commands make of an archive, under a name."""
        made = self._made(f"{archive.stem}.{name}.sig", lambda out: reference_signature(archive, name, out))
        return gunzipped(made)

    def fasta(self, archive: Path) -> bytes:
        """What the recipe's decoder writes."""

        def decode(out: Path) -> None:
            with out.open("wb") as file:
                argv = [*DECODE, str(archive)]
                subprocess.run(argv, stdout=file, stderr=subprocess.DEVNULL, check=True, cwd="/")

        return self._made(f"{archive.stem}.fasta", decode).read_bytes()


def gunzipped(path: Path) -> bytes:
    """The content of a file, unpacked if it is gzip."""
    data = path.read_bytes()
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def link(archive: Path, place: Path) -> Path:
    """The same archive under another name."""
    place.parent.mkdir(parents=True, exist_ok=True)
    os.link(archive, place)
    return place
