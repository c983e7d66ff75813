"""Writes a catalog as a parquet file, like the manifests of the public wort service."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

from wort_cli.errors import UsageError
from wort_cli.model.catalog_columns import (
    CATALOG_COLUMNS,
    DATE,
    INTEGERS,
    OF_PAGE_SIGNATURES,
    OF_PAGE_SKETCHES,
    CatalogPage,
)

GROUP_PAGES = 6
"""Pages in a row group: about a hundred thousand rows."""
UNLIKE = frozenset(("internal_location", "md5", "md5short", "name", "sha256", "digest", "url", "n_hashes", "size"))
"""Columns of which hardly two values are equal: a dictionary of them would only cost time."""
METADATA: Mapping[str, str] = {"SOURMASH-MANIFEST-VERSION": "1.0"}


def check_pyarrow() -> None:
    """Raise UsageError if pyarrow, an extra, is not installed."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise UsageError("parquet needs pyarrow, which is not installed", "pip install 'wort-cli[parquet]'") from None


def write_parquet(file: IO[bytes], pages: Iterable[CatalogPage]) -> int:
    """Write a catalog; return the number of its rows."""
    import pyarrow
    from pyarrow import parquet

    schema = pyarrow.schema(
        [pyarrow.field(column, type_of(column, pyarrow)) for column in CATALOG_COLUMNS], metadata=METADATA
    )
    pyarrow.set_cpu_count(1)  # each thread keeps memory of its own
    number = 0
    repeated = [column for column in CATALOG_COLUMNS if column not in UNLIKE]
    with (
        parquet.ParquetWriter(
            *(file, schema), compression="zstd", compression_level=1, use_dictionary=repeated, write_statistics=["name"]
        ) as writer,
        ThreadPoolExecutor(1, "parquet") as thread,  # writes a row group while the rows of the next one are read
    ):
        batches: list[Any] = []
        writing: Future[None] | None = None
        for page in pages:
            batches.append(batch_of(page, schema, pyarrow))
            number += len(page.sketches)
            if len(batches) == GROUP_PAGES:
                if writing is not None:
                    writing.result()
                writing = thread.submit(writer.write_table, pyarrow.Table.from_batches(batches, schema))
                batches = []
        if writing is not None:
            writing.result()
        writer.write_table(pyarrow.Table.from_batches(batches, schema))
    return number


def batch_of(page: CatalogPage, schema: Any, pyarrow: Any) -> Any:
    """Return a page as a batch of arrow: what a signature has is converted once, and repeated for its sketches."""
    positions, *of_sketches = zip(*page.sketches, strict=True)
    known = dict(zip(OF_PAGE_SKETCHES, of_sketches, strict=True))
    known["md5short"] = tuple(md5[:8] for md5 in known["md5"])
    arrays = {column: pyarrow.array(values, schema.field(column).type) for column, values in known.items()}
    taken = pyarrow.array(positions, pyarrow.int32())
    for column, values in zip(OF_PAGE_SIGNATURES, zip(*page.signatures, strict=True), strict=True):
        cells = [int(seconds * 1000) for seconds in values] if column == DATE else values
        arrays[column] = pyarrow.array(cells, schema.field(column).type).take(taken)
    return pyarrow.record_batch([arrays[column] for column in CATALOG_COLUMNS], schema=schema)


def type_of(column: str, pyarrow: Any) -> Any:
    """Return the type of a column."""
    if column == DATE:
        return pyarrow.timestamp("ms")  # without a time zone, as the public manifests have it
    return pyarrow.int64() if column in INTEGERS else pyarrow.string()


def names_in_parquet(path: Path | IO[bytes]) -> Iterator[str]:
    """Yield the names in a manifest, each once in a batch of rows; ValueError if it is invalid."""
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=["name"]):
                yield from (str(name) for name in batch.column("name").unique().to_pylist() if name is not None)
    except (pyarrow.ArrowException, KeyError) as error:
        raise ValueError(str(error)) from None
