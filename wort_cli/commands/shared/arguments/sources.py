"""Parses the command line into sources; `wort_cli.api.sources` decides what a word stands for.

All words are checked before a command changes anything; one error reports all wrong words, unless they are skipped.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from wort_cli.api.sources import joined_reads, source_of, with_prefetched, without_duplicates
from wort_cli.commands.shared.arguments.expansion import Expander
from wort_cli.commands.shared.arguments.lists import listed_words
from wort_cli.commands.shared.arguments.sample_table import parse_samples
from wort_cli.errors import UsageError, WortError
from wort_cli.model.accession import Accession, RecordAccession
from wort_cli.model.job import Source
from wort_cli.model.spelling import Spelling
from wort_cli.pipeline.reads.named_reads import check_no_pairs, read_source

SHOWN_PROBLEMS = 5


def parse_sources(
    words: Sequence[str],
    from_file: Path | None,
    name: str,
    quality: str = "prefer-normalized",
    archives: Sequence[Path] = (),
    notice: Callable[[str], None] = lambda _: None,
    skip: Callable[[str], None] | None = None,
    expander: Expander | None = None,
) -> list[Source]:
    """Return the sources of the command line and of a list, in order and without duplicates.

    The setting `quality` chooses among archives in one directory; the directories of the setting `archives` go before
    the working directory.  `notice` is called with the reason why an archive in the working directory is not used.

    Raises UsageError if there is no source, or if two have the same name.  A word that is not a source is a UsageError
    too; if `skip` is given, it is called with the reason, and the word is left out.  `expander` expands projects and
    other records, after all words were checked.
    """
    items = listed_words(words, from_file, expander.note_table if expander else None)
    if not items:
        raise UsageError(
            "nothing to compute",
            "give accessions, archives (FILE.sra) or files of reads (FILE.fastq.gz), - for a list on standard input, "
            "or --from-file",
        )
    if joined := joined_reads([word for _, word in items], name):
        return [joined]
    found, problems = list[Source | RecordAccession](), []
    spelling = Spelling()
    for place, word in items:
        try:
            if expander is not None and not name and (record := RecordAccession.in_text(word)):
                found.append(record)
                continue
            found.append(with_prefetched(source_of(word, name, quality, spelling), quality, archives, notice))
        except WortError as error:
            problems.append((place, error))
    report(problems, skip if found else None)
    spelling.explain(notice)
    check_no_pairs([source for source in found if isinstance(source, Source)])
    return without_duplicates(list(expanded(found, expander, quality, archives, notice)))


def expanded(
    found: Sequence[Source | RecordAccession],
    expander: Expander | None,
    quality: str,
    archives: Sequence[Path],
    notice: Callable[[str], None],
) -> Iterator[Source]:
    """Yield the sources, with the runs of a record in its place; a run that was named stays as it is."""
    named = {item.name for item in found if isinstance(item, Source)}
    for item in found:
        if isinstance(item, Source):
            yield item
        elif expander is not None:
            for run in expander.runs(item):
                if run in named:
                    expander.selected_by.pop(run)
                else:
                    yield with_prefetched(Source(run), quality, archives, notice)


def reads_of_options(reads: Sequence[str], samples: Path | None, name: str, *, others: bool, now: bool) -> list[Source]:
    """Return the source of the option --reads, or those of a table of samples; none if there is neither.

    others: whether the command has other inputs.  Raises UsageError as parse_sources does.
    """
    if samples is not None:
        if others or reads or name:
            raise UsageError("--samples excludes other inputs", "the table has the names and files of all signatures")
        return without_duplicates(parse_samples(samples))
    if not reads:
        return []
    if others or not name:
        raise UsageError("--reads makes one signature of its files, and needs --name", "give other inputs separately")
    if "-" in reads and not now:
        raise UsageError("`--reads -` needs --now", "standard input can be read only by this process")
    return [read_source(reads, name)]


def parse_accessions(
    words: Sequence[str],
    from_file: Path | None,
    skip: Callable[[str], None] | None = None,
    notice: Callable[[str], None] = lambda _: None,
) -> list[Accession]:
    """Return the accessions of the command line and of a list, in order and without duplicates.

    UsageError if there is none, or if a word is not an accession; `skip` and `notice` are those of `parse_sources`.
    """
    items = listed_words(words, from_file)
    if not items:
        raise UsageError("no run is named", "give accessions, - for a list on standard input, or --from-file")
    found, problems = [], []
    spelling = Spelling()
    for place, word in items:
        try:
            found.append(spelling.run(word))
        except WortError as error:
            problems.append((place, error))
    report(problems, skip if found else None, "are no accessions of runs; nothing was done")
    spelling.explain(notice)
    return list(dict.fromkeys(found))


def report(
    problems: Sequence[tuple[str, WortError]],
    skip: Callable[[str], None] | None,
    what: str = "can't be computed; nothing was queued",
) -> None:
    """Raise an error with the problems, if there are any; or tell each one to `skip`."""
    if problems and skip is None:
        raise combined_error(problems, what)
    for place, error in problems:
        if skip is not None:
            skip(f"skipped: {place}{error.sentence}")


def combined_error(problems: Sequence[tuple[str, WortError]], what: str) -> WortError:
    """Return one error that lists the problems, each with the place where it was found."""
    if len(problems) == 1:
        place, error = problems[0]
        skipping = "leave it out with --skip-invalid" if place else ""
        return UsageError(place + error.sentence, "; or ".join(filter(None, (error.hint, skipping))))
    listed = "\n  ".join(place + error.sentence for place, error in problems[:SHOWN_PROBLEMS])
    more = f"\n  and {len(problems) - SHOWN_PROBLEMS} more" if len(problems) > SHOWN_PROBLEMS else ""
    hint = "; or ".join(filter(None, (problems[0][1].hint, "leave them out with --skip-invalid")))
    return UsageError(f"{len(problems)} of these {what}:\n  {listed}{more}", hint)
