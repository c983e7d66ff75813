"""Accessions as people type them: one in lower case is taken as that in upper case, which is said."""

from collections.abc import Callable

from wort_cli.model.accession import (
    UNVERSIONED,
    Accession,
    AssemblyAccession,
    Name,
    is_public_in_any_case,
    parse_name,
    public_accession,
)


class Spelling:
    """Parses accessions, and remembers which were not in upper case."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}

    def accession(self, text: str) -> Accession:
        """Return the accession of a run or an assembly, in upper or lower case; raise InvalidAccession for others."""
        upper = text.upper()
        if text.isascii() and (found := public_accession(upper)):
            if upper != text:
                self._taken[text] = upper
            return found
        return AssemblyAccession.parse(upper) if UNVERSIONED.fullmatch(upper) else Accession.parse(text)

    def run(self, text: str) -> Accession:
        """Return the accession of a run in a text, in upper or lower case; else raise InvalidAccession."""
        found = self.accession(text)
        return Accession.parse(found) if isinstance(found, AssemblyAccession) else found

    def name(self, text: str) -> Name:
        """Return the name of a signature in a text.  Raises InvalidName if it is not one."""
        if is_public_in_any_case(text) or UNVERSIONED.fullmatch(text.upper()):
            return self.accession(text)
        return parse_name(text)

    def explain(self, notice: Callable[[str], None]) -> None:
        """Tell how accessions were taken that were not in upper case: one sentence, however many there are."""
        if self._taken:
            text, accession = next(iter(self._taken.items()))
            others = len(self._taken) - 1
            more = f", and {others:,} other accession{'s' if others > 1 else ''} likewise" if others else ""
            notice(f"{text} is taken as {accession}{more}")
