"""Files of reads as the source of a signature, and what was read of each."""

import json
from dataclasses import dataclass, field
from pathlib import Path

STDIN = Path("-")
"""The path that stands for standard input."""


@dataclass(frozen=True)
class ReadFiles:
    """The files whose reads make one signature, in order: absolute paths, or STDIN alone."""

    paths: tuple[Path, ...]
    filename: str = field(default="", compare=False)
    """The field `filename` of the signature: the last file as it was named, as sourmash writes it; '' for STDIN."""

    @property
    def is_stdin(self) -> bool:
        """Whether the reads come from standard input, which can be read only once."""
        return self.paths == (STDIN,)

    def __str__(self) -> str:
        if self.is_stdin:
            return "standard input"
        more = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
        return f"{self.paths[0]}{more}"

    def to_text(self) -> str:
        """Return the files as JSON, which starts with a brace, as no absolute path does."""
        return json.dumps({"reads": [str(path) for path in self.paths], "filename": self.filename})

    @classmethod
    def from_text(cls, text: str) -> "ReadFiles":
        """Return the files from the text of `to_text`.  Raises ValueError or KeyError if it is no such text."""
        data = json.loads(text)
        return cls(tuple(Path(path) for path in data["reads"]), str(data["filename"]))


@dataclass(frozen=True)
class ReadFile:
    """A file of reads that was read to its end."""

    path: str
    """The absolute path, or `-` for standard input."""
    size: int
    """Bytes, as the file is."""
    mtime: float
    """When the file was changed last, in seconds since 1970; 0 for standard input."""
    sha256: str
    md5: str
    format: str
    """FASTA or FASTQ."""
    compression: str
    """gzip, bzip2, xz or zstd; empty for none."""
    reads: int
    bases: int
