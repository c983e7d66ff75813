"""Makes sources of accessions and paths."""

import os
from collections.abc import Sequence
from pathlib import Path

from wort_cli.errors import UsageError
from wort_cli.model.accession import Accession, parse_name
from wort_cli.model.job import Source
from wort_cli.pipeline.archives.archive_names import stem_of
from wort_cli.pipeline.archives.named_archive import find_archive
from wort_cli.pipeline.reads.named_reads import read_source, reads_input

Input = str | Path
"""The accession of a run, or the path of an archive or of a file of reads.  A `str` with a slash is a path."""


def sources_of(inputs: Sequence[Input], name: str = "", quality: str = "prefer-normalized") -> list[Source]:
    """Return the sources of some inputs, in order and without duplicates.

    With a name, one archive, or all files of reads together.  Raises UsageError, InvalidAccession or InvalidName.
    """
    words = [os.fspath(one) for one in inputs]
    reads = [is_path(one) and bool(reads_input(os.fspath(one))) for one in inputs]
    if name and reads and all(reads):
        return [read_source(words, name)]
    if name and (len(inputs) != 1 or not is_path(inputs[0])):
        raise UsageError("a name needs exactly one archive, or files of reads only")
    found = []
    for one, word, has_reads in zip(inputs, words, reads, strict=True):
        if has_reads:
            found.append(read_source([word]))
        elif is_path(one):
            path = find_archive(word, quality)
            found.append(Source(parse_name(name or stem_of(path.name)), path))
        else:
            found.append(Source(Accession.parse(word)))
    return without_duplicates(found)


def without_duplicates(sources: Sequence[Source]) -> list[Source]:
    """Return the sources without those that are named twice; UsageError if two have the same name."""
    by_name: dict[str, Source] = {}
    for source in sources:
        if by_name.setdefault(source.name, source) != source:
            raise UsageError(
                f"the signatures of {by_name[source.name]} and {source} would have the same name, {source.name}",
                "compute each with its own --name",
            )
    return list(by_name.values())


def is_path(one: Input) -> bool:
    """Return whether an input is a path, and no accession."""
    return isinstance(one, Path) or "/" in one
