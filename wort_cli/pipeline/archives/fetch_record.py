"""The record that `wort fetch` writes beside an archive: its origin, what of it is in the file, and its proof.

    ACC.sra.columns        the needed columns of ACC.sra; holes where the other ones are
    ACC.sra.columns.json   its record; without one, the file is not used
    ACC.sra                a whole archive
    ACC.sra.json           its record; without one, it is like any other archive on disk

A record is not proof: the bytes are compared with it whenever they are used (prove.py).  Nor is it believed if another
user could have written it: then the archive still has to match its own sums, but nothing confirms the run.
"""

import contextlib
import json
import os
import stat
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from wort_cli.model.accession import RUN
from wort_cli.model.archive_format import Format
from wort_cli.pipeline.archives.archive_names import COLUMNS, run_named_by
from wort_cli.pipeline.archives.kar import Extent, merge_extents
from wort_cli.system.atomic_files import atomic_output

KIND = "archive fetched by wort"
VERSION = 1
MAX_SIZE = 1 << 22
"""Bytes; a real record has a few kB."""


@dataclass(frozen=True)
class FetchRecord:
    """The record of an archive that `wort fetch` fetched."""

    run: str
    format: Format
    size: int
    """Bytes of the archive."""
    md5: str
    """The locator's md5 of the whole archive; '' if unknown."""
    url: str
    """Where it came from, without the query."""
    identified: bool
    """Whether the locator confirmed that this is the archive of the run."""
    proved_by: str
    """`column-md5s`, `archive-md5` or `nothing`."""
    file_proof: str
    """The sum that binds the record to its file: the md5 of an archive, or the sha256 of the sums of its columns."""
    extents: tuple[Extent, ...]
    """The parts of the archive that are in the file."""
    skipped: tuple[str, ...]
    """The columns that are not in the file."""
    fetched_at: float
    """The time of the fetch, in seconds since 1970."""
    version: str
    """The version of wort."""

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON-ready data."""
        extents = [[extent.offset, extent.size] for extent in self.extents]
        return {"kind": KIND, "record": VERSION, **asdict(self), "extents": extents}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Return the record from the data of `to_json`.  Raises ValueError unless every value makes sense."""
        if not isinstance(data, dict) or data.get("kind") != KIND or data.get("record") != VERSION:
            raise ValueError("it is not the record of an archive")
        try:
            record = cls(
                **{
                    **{key: data[key] for key in cls.__dataclass_fields__},
                    "format": Format(data["format"]),
                    "extents": tuple(Extent(int(offset), int(size)) for offset, size in data["extents"]),
                    "skipped": tuple(map(str, data["skipped"])),
                }
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"it lacks or misuses {error}") from error
        texts = (
            record.run,
            record.md5,
            record.url,
            record.proved_by,
            record.file_proof,
            record.version,
            *record.skipped,
        )
        if not all(isinstance(text, str) and text.isascii() and text.isprintable() for text in texts):
            raise ValueError("it has a value that is no text")
        if not RUN.fullmatch(record.run) or type(record.size) is not int or type(record.identified) is not bool:
            raise ValueError("it does not name a run and a size")
        if any(extent.offset < 0 or extent.size <= 0 or extent.end > record.size for extent in record.extents):
            raise ValueError("it has parts outside the archive")
        return record

    @property
    def is_whole(self) -> bool:
        """Whether all of the archive is in the file."""
        return merge_extents(self.extents) == [Extent(0, self.size)]


def record_path(archive: Path) -> Path:
    """Return the path of the record of an archive."""
    return archive.with_name(f"{archive.name}.json")


def has_only_columns(archive: Path) -> bool:
    """Return whether a file has only some columns of an archive, by its name."""
    return archive.name.endswith(COLUMNS)


def write_record(archive: Path, record: FetchRecord) -> None:
    """Write the record beside an archive, writable by this user only.  Raises OSError."""
    with atomic_output(record_path(archive)) as file:
        os.fchmod(file.fileno(), 0o644)
        file.write((json.dumps(record.to_json(), indent=1) + "\n").encode("ascii"))


def read_record(archive: Path) -> FetchRecord | None:
    """Return the record beside an archive; None if there is none, or none that fits the file."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        path = record_path(archive)
        if path.stat().st_size > MAX_SIZE:
            return None
        record = FetchRecord.from_json(json.loads(path.read_bytes()))
        fits = record.size == archive.stat().st_size and record.is_whole != has_only_columns(archive)
        if fits and record.run == run_named_by(archive.name):
            return record
    return None


def is_ours(archive: Path) -> bool:
    """Return whether only this user and root can have written an archive and its record."""
    try:
        states = [path.stat() for path in (archive, record_path(archive), archive.parent)]
    except OSError:
        return False
    return all(
        state.st_uid in (os.geteuid(), 0) and not state.st_mode & (stat.S_IWGRP | stat.S_IWOTH) for state in states
    )
