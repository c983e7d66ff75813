"""The request of an export: which signatures, and which of their sketches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wort_cli.api.job_changes import check_group
from wort_cli.commands.shared.arguments.lists import listed_words
from wort_cli.commands.shared.arguments.selection import parse_trust, parse_where
from wort_cli.commands.shared.showing import render
from wort_cli.errors import UsageError, shown
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.sketches import Entry
from wort_cli.model.absence import UNKNOWN, Absence, AbsenceReason
from wort_cli.model.provenance import Trust
from wort_cli.model.run_condition import RunCondition
from wort_cli.model.spelling import Spelling
from wort_cli.upkeep.export.absences import absences_of_jobs, absences_of_names
from wort_cli.upkeep.export.picklist import Picklist, read_picklist
from wort_cli.upkeep.export.selection import SketchSelection

MOLTYPES = ("DNA", "protein", "dayhoff", "hp", "skipm1n3", "skipm2n3")
WILD = ("*", "?")


@dataclass(frozen=True)
class ExportRequest:
    """The signatures that are asked for.  Without names, a pattern, a group, a trust and conditions, all are."""

    profile: str
    names: tuple[str, ...]
    """The names of the signatures, in order, without duplicates."""
    pattern: str
    group: str
    trust: Trust | None
    where: tuple[RunCondition, ...] = ()
    picklist: Picklist | None = None

    def entries(self, ledger: Ledger, unseen: set[str]) -> Iterator[Entry]:
        """Yield the signatures that the catalog has, in order; take their names out of `unseen`."""
        sketches = ledger.catalog.sketches
        sketches.add_of_earlier_versions(self.profile)
        if self.names:
            found = sketches.entries(self.profile, trust=self.trust, names=self.names, where=self.where)
        else:
            found = sketches.entries(self.profile, self.pattern, group=self.group, trust=self.trust, where=self.where)
        for entry in found:
            unseen.discard(entry.name)
            yield entry

    def absences(self, ledger: Ledger, unseen: set[str]) -> Iterator[Absence]:
        """Yield what the catalog does not have, after all entries were read."""
        yield from absences_of_names(ledger, sorted(unseen), self.profile)
        if not self.names and not self.pattern and self.trust is None and self.picklist is None:
            yield from absences_of_jobs(ledger, self.group, self.profile, self.where)
        for name, md5 in self.picklist.not_found() if self.picklist else ():
            yield Absence.of(name, AbsenceReason.NOT_REQUESTED, self.profile, UNKNOWN, md5)


def parse_request(
    ledger: Ledger,
    profile: str,
    words: Sequence[str],
    from_file: Path | None,
    group: str,
    trust: str,
    where: Sequence[str],
    picklist: Picklist | None,
    *,
    everything: bool,
) -> ExportRequest:
    """Return what is asked for; UsageError if that is nothing, or contradictory."""
    items = [word for _, word in listed_words(words, from_file)]
    patterns = [word for word in items if any(sign in word for sign in WILD)]
    typed = [word for word in items if word not in patterns]
    if len(patterns) > 1 or (patterns and (typed or group)):
        raise UsageError("a pattern excludes other selections", "use one pattern, or IDs, or a group (-g)")
    if typed and group:
        raise UsageError("name signatures or select them with -g, not both")
    if everything and (items or group):
        raise UsageError("--all selects all signatures", "leave it out, or the IDs and the group")
    if not (items or group or trust or where or picklist or everything):
        raise UsageError(
            "no signatures are named", "give IDs, a pattern such as 'SRR139*', a group (-g), --where, or --all"
        )
    check_group(ledger, group)
    spelling = Spelling()
    names = tuple(sorted({str(spelling.name(word)) for word in typed}))
    spelling.explain(render.notice)
    pattern, conditions = patterns[0] if patterns else "", parse_where(where, ledger)
    return ExportRequest(profile, names, pattern, group, parse_trust(trust), conditions, picklist)


def parse_sketch_selection(
    ksizes: Sequence[int] | None, moltype: str, scaled: int | None, picklist: str, *, separate: bool
) -> SketchSelection:
    """Return which sketches are taken; UsageError if a value cannot be that of a sketch."""
    known = {one.lower(): one for one in MOLTYPES}
    if moltype and moltype.lower() not in known:
        raise UsageError(f"there is no moltype {shown(moltype)}", f"the moltypes are: {', '.join(MOLTYPES)}")
    return SketchSelection(
        frozenset(ksizes or ()),
        known.get(moltype.lower(), ""),
        scaled or 0,
        separate,
        read_picklist(picklist) if picklist else None,
    )
