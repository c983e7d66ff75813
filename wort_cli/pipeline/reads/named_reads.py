"""Finds the files of reads that a user names, and makes sources of them.

A file is one of reads if its name ends like one of FASTA or FASTQ, compressed or not, or if its content does.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from wort_cli.errors import NoSuchFile, UsageError, shown
from wort_cli.model.accession import RUN, LocalName, is_public_in_any_case
from wort_cli.model.job import Source
from wort_cli.model.read_files import STDIN, ReadFiles, is_url, recorded
from wort_cli.reading.file_kinds import recognise_file
from wort_cli.system.network_disks import check_answers

NAMES = re.compile(r"(?P<stem>.*)\.(fa|fas|fasta|fna|ffn|frn|fq|fastq)(\.(gz|bgz|bz2|xz|zst))?", re.IGNORECASE)
"""The names of files of FASTA and FASTQ."""
MATE = re.compile(r"(?P<sample>.+?)(?P<mate>[._-]R?[12])(?P<rest>([._-]001)?)", re.IGNORECASE)
"""The stem of a file that has one of the two reads of each pair, as sequencers and ENA name it."""
MAX_FILES = 1000
"""Files of one signature, at most."""
ALONE = "give accessions and archives in a command of their own"


def is_reads_name(word: str) -> bool:
    """Return whether a file with this name has reads, by the end of its name."""
    return NAMES.fullmatch(recorded(word).rpartition("/")[2]) is not None


def reads_input(word: str) -> str:
    """Return the absolute path or the URL of a file of reads; '' if a word is something else.

    Raises UsageError as reads_path does, and for a URL that cannot be one of reads.
    """
    if not is_url(word):
        return str(reads_path(word) or "")
    try:
        parts = urlsplit(word)
        valid = bool(parts.hostname) and len(parts.path) > 1 and word.isprintable() and " " not in word
    except ValueError:
        valid = False
    if not valid:
        raise UsageError(f"{shown(word, 200)} is not a URL of a file")
    if "@" in parts.netloc:
        raise UsageError("the URL contains a user or password", "it would be recorded; use another URL")
    return word


def reads_path(word: str) -> Path | None:
    """Return the absolute path of a file of reads; None if a word is something else.

    Raises UsageError if the name is that of a file of reads, and there is none or its content is of another kind.
    """
    if "\0" in word or not word:
        return None
    named = is_reads_name(word)
    try:
        path = Path(word).expanduser().absolute()
        check_answers([path])
        if not path.is_file():
            if not named or path.is_dir():
                return None
            why = "not a regular file; give it as standard input: `--reads -`" if path.exists() else "no such file"
            raise NoSuchFile(path, why)
        found = recognise_file(path)
    except RuntimeError as error:  # ~USER of an unknown user
        raise UsageError(f"{shown(word)}: {error}") from None
    except OSError as error:
        if named:
            raise NoSuchFile(path, error.strerror or str(error)) from None
        return None
    is_reads = found is not None and found.is_reads
    if not is_reads and not named:
        return None
    if found is not None and not is_reads and not found.is_unsure:
        raise UsageError(f"{shown(str(path), 200)} has no reads: this is {found.what}", found.hint)
    if not str(path).isprintable():
        raise UsageError("the path contains control characters", "rename the file")
    return path


def stem_of_reads(location: str) -> str:
    """Return the name of a file of reads without its ending."""
    name = recorded(location).rpartition("/")[2]
    found = NAMES.fullmatch(name)
    return found["stem"] if found else name.partition(".")[0]


def read_source(words: Sequence[str], name: str = "") -> Source:
    """Return the source of the reads in some files, as one signature; its name is that of the only file by default.

    Raises UsageError if a file is missing or has no reads, or if the name is that of a run.
    """
    if not words:
        raise UsageError("no file of reads is named")
    if len(words) > MAX_FILES:
        raise UsageError(f"{len(words)} files are too many for one signature", "join some of them")
    if "-" in words:
        if len(words) > 1 or not name:
            raise UsageError("`--reads -` is the only input of a signature, and needs --name")
        return Source(local_name(name), reads=ReadFiles((STDIN,)))
    inputs = []
    for word in words:
        found = reads_input(word)
        if not found:
            raise UsageError(f"{shown(word, 200)} is not a file of reads, in FASTA or FASTQ", ALONE)
        inputs.append(found)
    if twice := next((one for one in inputs if inputs.count(one) > 1), None):
        raise UsageError(f"{shown(twice, 200)} is named twice", "its reads would be counted twice")
    return Source(local_name(name or stem_of_reads(inputs[0])), reads=ReadFiles(tuple(inputs), recorded(words[-1])))


def local_name(text: str) -> LocalName:
    """Return the name of a signature of files.  Raises UsageError if it is that of a run."""
    if (accession := text.strip().upper()) and is_public_in_any_case(accession):
        is_run = RUN.fullmatch(accession)
        what = "a run, whose signature is made from its archive" if is_run else "an assembly, which wort fetches itself"
        raise UsageError(
            f"the name {shown(text)} is that of {what}",
            f"give the signature of these files another --name; `wort compute {accession}` computes the "
            f"{'run' if is_run else 'assembly'}",
        )
    return LocalName.parse(text)


def check_no_pairs(sources: Sequence[Source]) -> None:
    """Raise UsageError if two files, each with its own signature, have the two reads of the same pairs."""
    mates: dict[tuple[str, str, str], str] = {}
    for source in sources:
        if source.reads is None or len(source.reads.inputs) != 1:
            continue
        one = source.reads.inputs[0]
        folder = one.rpartition("/")[0]
        if found := MATE.fullmatch(stem_of_reads(one)):
            other = mates.setdefault((folder, found["sample"], found["rest"]), one)
            if other != one:
                raise UsageError(
                    f"{shown(other)} and {shown(one)} seem to have both reads of the same pairs",
                    f"for one signature of both, add --name {found['sample']}; for two, give two commands",
                )
