"""From what was typed to sources: accessions, archives, lists of them.  All are checked before anything happens."""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from wort_cli.errors import NoSuchFile, UsageError, WortError, shown
from wort_cli.model.accession import Accession, parse_name
from wort_cli.model.job import Source

ARCHIVE_SUFFIXES = (".sra", ".sralite", ".csra", ".kar")
SHOWN_PROBLEMS = 5
COMMENT = re.compile(r"(^|\s)#.*")


def parse_sources(words: Sequence[str], from_file: Path | None, name: str) -> list[Source]:
    """The sources that were asked for, each once, in order; UsageError if there is none or one of them is no source."""
    items = [("", word) for word in words if word != "-"]
    if "-" in words:
        items += [(f"standard input, line {n}: ", line) for n, line in lines_of(text_of(sys.stdin.buffer.read()))]
    if from_file is not None:
        items += [(f"{from_file}, line {n}: ", line) for n, line in lines_of(read_list(from_file))]
    if not items:
        raise UsageError("nothing to compute", "give accessions, archives (FILE.sra), -, or --from-file")
    if name and len(items) != 1:
        raise UsageError("--name is for one archive")
    found, problems = [], []
    for place, word in items:
        try:
            found.append(parse_source(word, name))
        except WortError as error:
            problems.append((place, error))
    if problems:
        raise several(problems)
    by_name: dict[str, Source] = {}
    for source in found:
        if by_name.setdefault(source.name, source) != source:
            raise UsageError(
                f"{by_name[source.name]} and {source} would both be {source.name}",
                "compute them one by one, with --name",
            )
    return list(by_name.values())


def parse_source(word: str, name: str = "") -> Source:
    """A source as it was typed: a path if it has a slash or the ending of an archive, else an accession."""
    if "/" in word or word.endswith(ARCHIVE_SUFFIXES):
        path = archive_at(word)
        return Source(parse_name(name or stem(path.name)), path)
    if name:
        raise UsageError("--name is for archives; a run has its accession")
    accession = Accession.parse(word)
    # `prefetch` lays a run into the directory it is called in, and the SRA toolkit's tools look there first.
    fetched = Path.cwd() / accession / f"{accession}.sra"
    return Source(accession, fetched if fetched.is_file() else None)


def archive_at(word: str) -> Path:
    """The absolute path of an archive, or of the one in a directory that `prefetch` made."""
    if "\0" in word or len(word) > os.pathconf("/", "PC_PATH_MAX"):
        raise UsageError("that is not a path")
    try:
        path = Path(word).expanduser().absolute()
    except RuntimeError as error:  # ~nobody
        raise UsageError(f"{shown(word)}: {error}") from None
    try:
        if path.is_dir():
            for suffix in ARCHIVE_SUFFIXES:
                if (inside := path / f"{path.name}{suffix}").is_file():
                    return inside
            raise NoSuchFile(path, f"this directory has no {path.name}.sra")
        if not path.is_file():
            raise NoSuchFile(path)
    except OSError as error:
        raise NoSuchFile(path, error.strerror or str(error)) from None
    if not str(path).isprintable():
        raise UsageError("the path has control characters", "rename the file")
    return path


def stem(filename: str) -> str:
    """The name of an archive without its ending."""
    for suffix in ARCHIVE_SUFFIXES:
        if filename.endswith(suffix):
            return filename.removesuffix(suffix)
    return filename


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """Numbered lines of a list, without blank ones and comments (a # at the start or after a blank)."""
    for number, line in enumerate(text.split("\n"), 1):
        word = COMMENT.sub("", line).strip()
        if word:
            yield number, word


def read_list(path: Path) -> str:
    """The text of a list; NoSuchFile if it can't be read."""
    try:
        return text_of(path.read_bytes())
    except OSError as error:
        raise NoSuchFile(path, error.strerror or str(error)) from None


def text_of(data: bytes) -> str:
    """The text of a list; UsageError if it is none."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError("the list is not a text file") from None


def several(problems: Sequence[tuple[str, WortError]]) -> WortError:
    """One error that tells of all."""
    if len(problems) == 1:
        place, error = problems[0]
        return UsageError(place + error.sentence, error.hint)
    told = "\n  ".join(place + error.sentence for place, error in problems[:SHOWN_PROBLEMS])
    more = f"\n  and {len(problems) - SHOWN_PROBLEMS} more" if len(problems) > SHOWN_PROBLEMS else ""
    return UsageError(
        f"{len(problems)} of these can't be computed; nothing was queued:\n  {told}{more}", problems[0][1].hint
    )
