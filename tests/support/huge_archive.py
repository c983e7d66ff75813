"""An archive of 300 GB that exists only as its head and a rule for its other bytes, and a process that fetches some.

    python -m tests.support.huge_archive DIRECTORY BYTES

fetches into a directory until so many bytes have arrived in this process, and prints as JSON what that took.
"""

import contextlib
import hashlib
import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.damages.network import Host, MemoryClient, Network
from tests.support.kar_files import Raw, kar_archive
from tests.support.locator_answers import answer, file_entry, run_entry
from wort_cli.model.accession import Accession
from wort_cli.pipeline.archives.columns import VDB
from wort_cli.pipeline.archives.http import Answer
from wort_cli.pipeline.archives.kar import FILE
from wort_cli.pipeline.archives.obtain import Obtainer
from wort_cli.pipeline.archives.offer import Wish
from wort_cli.pipeline.archives.politeness import Politeness
from wort_cli.system.cancellation import Cancellation, Cancelled

RUN = Accession("SRR000001")
SIZES = {"READ": 180_000_000_000, "QUALITY": 120_000_000_000}
"""Bytes of the data of each column."""
SCHEMA = b"table T { column .READ=x; column <U8>.QUALITY; }    "


def peak_memory() -> int:
    """Return the peak memory of this process in bytes; getrusage(2) would count its parent's, before the exec."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def small_files(column: str) -> dict[str, Any]:
    """Return the small files of a column; its data are elsewhere, and their sum is that of something else."""
    lines = f"{'0' * 32} *data\n{hashlib.md5(b'idx1').hexdigest()} *idx1\n"
    return {"idx1": b"idx1", "md5": lines.encode(), "data": column}


def head_and_size() -> tuple[bytes, int]:
    """Return everything but the data of the columns, and the size of the archive."""
    schema_sums = f"{hashlib.md5(SCHEMA).hexdigest()} *md/cur\n".encode()
    columns = {name: small_files(name) for name in SIZES}
    table = {"md": {"cur": SCHEMA}, "md5": schema_sums}
    small = len(kar_archive({"tbl": {"SEQUENCE": {**table, "col": without_data(columns)}}}, alignment=4))
    small -= kar_data_offset({"tbl": {"SEQUENCE": {**table, "col": without_data(columns)}}})
    small += -small % 4
    offset = small
    placed: dict[str, Any] = {}
    for name, files in columns.items():
        placed[name] = {**files, "data": Raw(FILE, struct.pack("<QQ", offset, SIZES[name]))}
        offset += SIZES[name]
    head = kar_archive({"tbl": {"SEQUENCE": {**table, "col": placed}}}, alignment=4)
    data_offset = struct.unpack("<16xQ", head[:24])[0]
    return head.ljust(data_offset + small, b"\0"), data_offset + offset


def without_data(columns: dict[str, Any]) -> dict[str, Any]:
    """Return the small files of columns alone."""
    return {name: {key: value for key, value in files.items() if key != "data"} for name, files in columns.items()}


def kar_data_offset(tree: dict[str, Any]) -> int:
    """Return where the data of an archive begin."""
    offset: int = struct.unpack("<16xQ", kar_archive(tree, alignment=4)[:24])[0]
    return offset


class HugeHost(Host):
    """Serves the head, and zeros for all that follows."""

    def __init__(self) -> None:
        head, size = head_and_size()
        super().__init__(head, size=size)
        self.ranges: list[tuple[int, int]] = []

    def answer(self, url: str, requested: str) -> Answer:
        """Return an answer whose body is made while it is read."""
        first, last = (int(number) for number in requested.removeprefix("bytes=").split("-"))
        self.ranges.append((first, last + 1))
        headers = {"Content-Range": f"bytes {first}-{last}/{self.size}", "Content-Length": str(last + 1 - first)}
        return Answer(206, headers, url, self._pieces(first, last + 1))

    def _pieces(self, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            size = min(1 << 16, end - start)
            yield self.data[start : start + size].ljust(size, b"\0")
            start += size


def main(root: Path, limit: int) -> dict[str, Any]:
    """Fetch until `limit` bytes have arrived; return what that took."""
    host = HugeHost()
    entry = file_entry(RUN, host.data, [f"https://a/{RUN}"]) | {"size": host.size}
    arrived = 0
    reserved: list[int] = []

    def report(stage: str, done: int, wanted: int) -> None:
        nonlocal arrived
        arrived = max(arrived, done)

    obtainer = Obtainer(
        MemoryClient(Network({"a": host}, answer(run_entry(RUN, entry)))),
        Politeness(root / "rates", 4),
        Cancellation(lambda: arrived >= limit),
        lambda text: None,
        report,
        reserved.append,
    )
    with contextlib.suppress(Cancelled):
        obtainer.obtain(Wish(RUN, VDB, locator_url="https://locator/sdl"), root / "archive")
    return {
        "peak": peak_memory(),
        "reserved": reserved,
        "ranges": host.ranges,
        "size": host.size,
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]))))
