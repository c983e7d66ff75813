"""Writes a manifest of sourmash while its rows are found, compressed into a file, and reads one row after the other."""

import csv
import io
import zlib
from collections.abc import Iterator
from typing import IO, Any

from wort_cli.model.accession import name_in
from wort_cli.model.sketch_row import COLUMNS, VERSION_LINE, SketchRow

BLOCK = 1 << 16


class ManifestSpool:
    """The rows of a manifest as raw Deflate in `file`, an empty file."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.crc = self.size = self.stored_size = 0
        self._compressor = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._text = io.StringIO(newline="")
        self._writer: Any = csv.writer(self._text)  # as sourmash: lines end with CR LF, the first with LF
        self._text.write(VERSION_LINE)
        self._writer.writerow(COLUMNS)

    def add(self, location: str, name: str, row: SketchRow) -> None:
        """Add the row of a sketch."""
        self._writer.writerow(row.cells(location, name))
        if self._text.tell() > BLOCK:
            self._compress()

    def finish(self) -> None:
        """Write the rest."""
        self._compress()
        self._put(self._compressor.flush())
        self.file.flush()

    def _compress(self) -> None:
        data = self._text.getvalue().encode()
        self._text.seek(0)
        self._text.truncate()
        self.crc, self.size = zlib.crc32(data, self.crc), self.size + len(data)
        self._put(self._compressor.compress(data))

    def _put(self, data: bytes) -> None:
        self.file.write(data)
        self.stored_size += len(data)


def manifest_rows(lines: Iterator[str]) -> Iterator[tuple[str, str, SketchRow]]:
    """Yield the location, the name and the row of each sketch; ValueError or csv.Error for an invalid manifest."""
    if next(lines, "") != VERSION_LINE:
        raise ValueError("the manifest has no version")
    reader = csv.reader(lines)
    columns = next(reader, [])
    for values in reader:
        try:
            cells = dict(zip(columns, values, strict=True))
            title = cells["name"]
            name = name_in(title)
            row = SketchRow(
                *(cells["md5"], int(cells["ksize"]), cells["moltype"], int(cells["num"]), int(cells["scaled"])),
                *(int(cells["n_hashes"]), cells["with_abundance"] in ("True", "1"), None, cells["filename"]),
                title if title != name else "",
            )
            yield cells["internal_location"], name, row
        except (KeyError, TypeError) as error:
            raise ValueError(f"the manifest has no {error}") from None
