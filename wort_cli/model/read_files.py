"""Files of reads as the source of a signature, and what was read of each."""

import json
from dataclasses import dataclass, field
from pathlib import Path

STDIN = "-"
"""Stands for standard input."""
SCHEMES = ("http://", "https://", "s3://")
"""The schemes of URLs of files."""


def is_url(text: str) -> bool:
    """Return whether an input is a URL."""
    return text.startswith(SCHEMES)


def recorded(text: str) -> str:
    """Return an input as it may be recorded: the query of a URL may hold a signature that grants access."""
    return text.partition("?")[0] if is_url(text) else text


@dataclass(frozen=True)
class ReadFiles:
    """The files whose reads make one signature, in order: absolute paths and URLs, or STDIN alone."""

    inputs: tuple[str, ...]
    filename: str = field(default="", compare=False)
    """The field `filename` of the signature: the last file as it was named, as sourmash writes it; '' for STDIN."""

    @property
    def is_stdin(self) -> bool:
        """Whether the reads come from standard input, which can be read only once."""
        return self.inputs == (STDIN,)

    def __str__(self) -> str:
        if self.is_stdin:
            return "standard input"
        more = f" and {len(self.inputs) - 1} more" if len(self.inputs) > 1 else ""
        return f"{recorded(self.inputs[0])}{more}"

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files on disk."""
        return tuple(Path(one) for one in self.inputs if one != STDIN and not is_url(one))

    def to_text(self) -> str:
        """Return the files as JSON, which starts with a brace, as no absolute path does."""
        return json.dumps({"reads": self.inputs, "filename": self.filename})

    @classmethod
    def from_text(cls, text: str) -> "ReadFiles":
        """Return the files from the text of `to_text`.  Raises ValueError or KeyError if it is no such text."""
        data = json.loads(text)
        return cls(tuple(map(str, data["reads"])), str(data["filename"]))


@dataclass(frozen=True)
class ReadFile:
    """A file of reads that was read to its end."""

    path: str
    """The absolute path, the URL without its query, or `-` for standard input."""
    size: int
    """Bytes, as the file is."""
    mtime: float
    """When the file was changed last, in seconds since 1970; 0 if it was not on disk."""
    sha256: str
    md5: str
    format: str
    """FASTA or FASTQ."""
    compression: str
    """gzip, bzip2, xz or zstd; empty for none."""
    reads: int
    bases: int
