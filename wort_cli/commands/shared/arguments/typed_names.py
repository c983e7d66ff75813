"""Parses the names that people type: an accession in lower case is taken as that of the run, with a word on stderr."""

from collections.abc import Callable, Iterable

from wort_cli.commands.shared.showing import render
from wort_cli.model.accession import RUN, Accession, Name, parse_name


class Spelling:
    """Parses accessions, and remembers which were not in upper case."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}

    def accession(self, text: str) -> Accession:
        """Return the accession in a text, in upper or lower case.  Raises InvalidAccession if there is none."""
        upper = text.upper()
        if upper == text or not (text.isascii() and RUN.fullmatch(upper)):
            return Accession.parse(text)
        self._taken[text] = upper
        return Accession.parse(upper)

    def name(self, text: str) -> Name:
        """Return the name of a signature in a text.  Raises InvalidName if it is none."""
        if text.isascii() and RUN.fullmatch(text.upper()):
            return self.accession(text)
        return parse_name(text)

    def explain(self, notice: Callable[[str], None]) -> None:
        """Tell how accessions were taken that were not in upper case: one sentence, however many there are."""
        if self._taken:
            text, accession = next(iter(self._taken.items()))
            others = len(self._taken) - 1
            more = f", and {render.count(others, 'other accession')} likewise" if others else ""
            notice(f"{render.printable(text)} is taken as {accession}{more}")


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


def typed_accession(text: str) -> Accession:
    """Return an accession that a user typed; say on stderr if it was taken in upper case."""
    spelling = Spelling()
    accession = spelling.accession(text)
    spelling.explain(render.notice)
    return accession
