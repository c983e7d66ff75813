"""Decides what a word stands for: a run, an assembly, an archive, or files of reads; for commands and in Python."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from wort_cli.errors import UsageError, shown
from wort_cli.model.accession import Accession, AssemblyAccession, is_public_in_any_case
from wort_cli.model.job import Source
from wort_cli.model.read_files import is_url
from wort_cli.model.spelling import Spelling
from wort_cli.pipeline.archives.archive_names import is_archive_name, names_of, stem_of
from wort_cli.pipeline.archives.named_archive import find_archive
from wort_cli.pipeline.archives.on_disk import choose, find_in_folder, is_in_directories
from wort_cli.pipeline.reads.named_reads import check_no_pairs, is_reads_name, read_source, reads_input, reads_path
from wort_cli.system.network_disks import check_answers
from wort_cli.system.private_files import why_not_ours

Input = str | Path
"""An accession of a run or an assembly, or the path of an archive or a file of reads; a `Path` is no accession."""


def sources_of(inputs: Sequence[Input], name: str = "", quality: str = "prefer-normalized") -> list[Source]:
    """Return the sources of some inputs, in order and without duplicates.

    With a name, one archive, or all files of reads together.  Raises UsageError, InvalidAccession or InvalidName.
    """
    if joined := joined_reads(inputs, name):
        return [joined]
    sources = [source_of(one, name, quality) for one in inputs]
    check_no_pairs(sources)
    return without_duplicates(sources)


def source_of(
    one: Input, name: str = "", quality: str = "prefer-normalized", spelling: Spelling | None = None
) -> Source:
    """Return the source that an input names: an archive if it is a path, has a slash or an archive's ending, a file of
    reads if its name or content is that of one, else a run or an assembly.

    `quality` is the setting, which chooses among the archives in a directory.  Raises UsageError for a file that is no
    archive, and for an archive that is named like neither.
    """
    word, spelling = os.fspath(one), spelling or Spelling()
    may_be_run = isinstance(one, str) and is_public_in_any_case(word)
    if is_reads_name(word) or not (may_be_run or is_archive_name(word) or is_url(word) or reads_path(word) is None):
        return read_source([word], name)
    if isinstance(one, Path) or "/" in word or is_archive_name(word):
        path = find_archive(word, quality)
        found = spelling.name(name or stem_of(path.name))
        if isinstance(found, AssemblyAccession):
            raise UsageError(
                f"an archive has no sequences of an assembly: {found}", "give its signature another --name"
            )
        return Source(found, path)
    if not may_be_run and os.path.isfile(word):  # noqa: PTH113 - a word may be too long for a path
        find_archive(word, quality)
        raise UsageError(f"{shown(word, 200)} is an archive, not an accession", "name it as a path: ./FILE")
    if name:
        raise UsageError(
            "a name is only for archives and files of reads; the signature of a run or an assembly has its accession"
        )
    return Source(spelling.accession(word))


def joined_reads(inputs: Sequence[Input], name: str) -> Source | None:
    """Return the source of files of reads that a name joins; None if there is no name, or one input.

    Raises UsageError if a name is given for several inputs of another kind, or for none.
    """
    if not name or len(inputs) == 1:
        return None
    words = [os.fspath(one) for one in inputs]
    if words and all(reads_input(word) for word in words):
        return read_source(words, name)
    raise UsageError("a name needs exactly one archive, or files of reads only")


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


def with_prefetched(
    source: Source,
    quality: str = "prefer-normalized",
    archives: Sequence[Path] = (),
    notice: Callable[[str], None] = lambda _: None,
) -> Source:
    """Return the source of a run with the archive below the working directory, into which `prefetch` downloads.

    Another source is returned as it is.  One of the configured directories, `archives`, goes first.  What another user
    can have put into the working directory is not used, and `notice` is called with the reason.
    """
    if not isinstance(source.name, Accession) or source.is_assembly or source.location:
        return source
    folder = Path.cwd() / source.name
    check_answers(folder / name for name in names_of(source.name))
    found = choose(find_in_folder(source.name, folder, lambda _: None), quality)
    if found is None or is_in_directories(source.name, archives, quality):
        return source
    for path in (folder, found.path):
        if why := why_not_ours(path):
            notice(f"{shown(str(path), 200)} is not used as the archive of {source.name}: it {why}")
            return source
    return Source(source.name, found.path)
