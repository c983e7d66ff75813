"""Archives and reference signatures that all tests share; each is made once."""

import fcntl
import gzip
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.support import references
from tests.support.archives import (
    DECODE,
    LAYOUTS,
    flip_bit_in_reads,
    make_archive,
    make_lite,
    make_paired,
    make_with_qualities,
    reference_signature,
    remove_sums,
    truncate,
)
from tests.support.references import make_aligned_outside, make_aligned_to_both, make_reference

WITHOUT_READS = ("all_filtered", "zero_spots")
WITH_READS = tuple(layout.name for layout in LAYOUTS if layout.name not in WITHOUT_READS)


class Shelf:
    """A cache of archives and reference signatures, shared by all test processes; the first that needs one makes it."""

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
        """Return an archive of a layout."""
        return self._made(f"{layout}-{seed}.sra", lambda out: make_archive(layout, out, seed=seed))

    def large(self, spots: int) -> Path:
        """Return a paired archive with many spots."""
        return self._made(f"large-{spots}.sra", lambda out: make_paired(out, spots=spots))

    def with_qualities(self, spots: int = 20_000) -> Path:
        """Return a paired archive in which the qualities take about half of the space."""
        return self._made(f"qualities-{spots}.sra", lambda out: make_with_qualities(out, spots=spots))

    def lite(self) -> Path:
        """Return the Lite form of `with_qualities`, whose read filter differs."""
        return self._made("lite.sralite", lambda out: make_lite(self.with_qualities(), out))

    def sequence(self) -> Path:
        """Return the archive of a reference sequence."""
        return self._made("sequence", make_reference)

    def aligned_outside(self) -> Path:
        """Return an archive whose reads are aligned to `sequence`, which it does not have."""
        return self._made("aligned-outside.sra", lambda out: make_aligned_outside(out, self.sequence()))

    def aligned_reference(self, name: str) -> bytes:
        """Return the JSON of the reference signature of `aligned_outside`."""

        def make(out: Path) -> None:
            with tempfile.TemporaryDirectory() as cwd:  # the toolkit looks for references there
                copy_archive(self.sequence(), Path(cwd) / references.NAME)
                reference_signature(self.aligned_outside(), name, out, cwd=Path(cwd))

        return gunzipped(self._made(f"aligned-outside.{name}.sig", make))

    def aligned_to_both(self) -> Path:
        """Return an archive whose reads are aligned to `sequence`, and to a sequence that is inside."""
        return self._made("aligned-to-both.sra", lambda out: make_aligned_to_both(out, self.sequence()))

    def flipped(self) -> Path:
        """Return an archive with one flipped bit that fastq-dump does not detect."""
        return self._made("flipped.sra", lambda out: flip_bit_in_reads(self.archive(), out))

    def without_sums(self, layout: str = "paired_illumina") -> Path:
        """Return an archive that has no md5 sums of its columns."""
        return self._made(f"without-sums-{layout}.sra", lambda out: remove_sums(self.archive(layout), out))

    def truncated(self) -> Path:
        """Return the first half of an archive."""
        return self._made("truncated.sra", lambda out: truncate(self.archive(), out))

    def reference(self, archive: Path, name: str) -> bytes:
        """Return the JSON of the reference signature of an archive, made with the recipe's two commands."""
        made = self._made(f"{archive.stem}.{name}.sig", lambda out: reference_signature(archive, name, out))
        return gunzipped(made)

    def fasta(self, archive: Path) -> bytes:
        """Return the output of the recipe's fastq-dump."""

        def decode(out: Path) -> None:
            with out.open("wb") as file:
                argv = [*DECODE, str(archive)]
                subprocess.run(argv, stdout=file, stderr=subprocess.DEVNULL, check=True, cwd="/")

        return self._made(f"{archive.stem}.fasta", decode).read_bytes()


def gunzipped(path: Path) -> bytes:
    """Return the content of a file, decompressed if it is gzip."""
    data = path.read_bytes()
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def copy_archive(archive: Path, place: Path) -> Path:
    """Copy an archive to another path; return that path.

    A hard link would change the ctime of the shelf's file, which other tests may be reading: wort notices that.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(archive, place)
    return place
