"""Accessions as people type them: one in lower case is that of the run, which is said."""

from collections.abc import Callable

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
            more = f", and {others:,} other accession{'s' if others > 1 else ''} likewise" if others else ""
            notice(f"{text} is taken as {accession}{more}")
