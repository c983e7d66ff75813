"""Parses the names that people type: one in lower case is taken as the accession in upper case, and that is said."""

from collections.abc import Iterable

from wort_cli.commands.shared.showing import render
from wort_cli.model.accession import Accession, Name
from wort_cli.model.spelling import Spelling


def typed_name(text: str) -> Name:
    """Return the name of a signature that a user typed; say on stderr if it was taken in upper case."""
    spelling = Spelling()
    name = spelling.name(text)
    spelling.explain(render.notice)
    return name


def typed_accessions(texts: Iterable[str]) -> set[Accession]:
    """Return the accessions that a user typed; say on stderr if some were taken in upper case."""
    spelling = Spelling()
    accessions = {spelling.accession(text) for text in texts}
    spelling.explain(render.notice)
    return accessions


def typed_run(text: str) -> Accession:
    """Return the accession of a run that a user typed; say on stderr if it was taken in upper case."""
    spelling = Spelling()
    run = spelling.run(text)
    spelling.explain(render.notice)
    return run


def typed_accession(text: str) -> Accession:
    """Return an accession that a user typed; say on stderr if it was taken in upper case."""
    spelling = Spelling()
    accession = spelling.accession(text)
    spelling.explain(render.notice)
    return accession
