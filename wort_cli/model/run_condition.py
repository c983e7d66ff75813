"""Conditions on what is known of runs, such as `organism=Homo sapiens` or `bases>=1G`.

Columns are those of RunMetadata.  Text is compared without regard to case; * and ? stand for other letters; commas
separate alternatives.  Numbers may end with K, M, G or T; dates may be the beginning of one.  What is not known matches
only `COLUMN=`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields

from wort_cli.errors import UsageError, shown
from wort_cli.model.run_metadata import RunMetadata

COLUMNS = tuple(field.name for field in fields(RunMetadata) if field.name != "run")
NUMBERS = frozenset(field.name for field in fields(RunMetadata) if field.type == (int | None))
DATES = frozenset(("released", "updated"))
FORM = re.compile(r"\s*([A-Za-z_]+)\s*(!=|>=|<=|=|>|<)\s*(.*?)\s*", re.DOTALL)
ORDERINGS = (">", ">=", "<", "<=")
NUMBER = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,9}))?([KMGT]?)", re.IGNORECASE)
DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
FACTORS = {"": 0, "K": 3, "M": 6, "G": 9, "T": 12}
"""Powers of ten."""
MOST_TERMS = 100
"""Conditions and alternatives of one command, so that SQLite takes them."""


@dataclass(frozen=True)
class RunCondition:
    """A condition: a column, an operator, and the values of which one must match; none if the value must be unknown."""

    column: str
    operator: str
    values: tuple[str | int, ...]

    @classmethod
    def parse(cls, text: str) -> "RunCondition":
        """Return the condition in a text; UsageError if it is invalid."""
        match = FORM.fullmatch(text)
        if match is None:
            raise UsageError(
                f"{shown(text, 200)} is not a condition such as organism=Homo*", f"columns: {', '.join(COLUMNS)}"
            )
        column, operator, value = match[1].lower(), match[2], match[3]
        if column not in COLUMNS:
            import difflib

            near = difflib.get_close_matches(column, COLUMNS, 1)
            more = f"did you mean {near[0]}? " if near else ""
            raise UsageError(f"runs have no column {shown(match[1])}", f"{more}the columns are: {', '.join(COLUMNS)}")
        if operator in ORDERINGS:
            return cls(column, operator, (ordered_value(column, value, text),))
        alternatives = [part for part in (part.strip() for part in value.split(",")) if part]
        if column in NUMBERS:
            return cls(column, operator, tuple(number_in(part, text) for part in alternatives))
        return cls(column, operator, tuple(alternatives))

    def __str__(self) -> str:
        return f"{self.column}{self.operator}{','.join(map(str, self.values))}"


def parse_conditions(texts: Iterable[str]) -> tuple[RunCondition, ...]:
    """Return conditions that must all hold; UsageError if one is invalid, or if they are too many."""
    found = tuple(map(RunCondition.parse, texts))
    if sum(max(1, len(condition.values)) for condition in found) > MOST_TERMS:
        raise UsageError(f"there are more than {MOST_TERMS} conditions and alternatives", "put the names into a list")
    return found


def ordered_value(column: str, value: str, text: str) -> str | int:
    """Return the value that a column is compared with by < or >; UsageError if the column has no order."""
    if column in NUMBERS:
        return number_in(value, text)
    if column not in DATES:
        orderly = ", ".join(name for name in COLUMNS if name in NUMBERS | DATES)
        raise UsageError(f"{column} is neither a number nor a date: {shown(text, 200)}", f"< and > are for {orderly}")
    if not DATE.fullmatch(value):
        raise UsageError(f"{shown(text, 200)} has no date", "write it as 2020, 2020-05 or 2020-05-31")
    return value


def number_in(value: str, text: str) -> int:
    """Return a whole number such as 5 or 1.5G."""
    match = NUMBER.fullmatch(value)
    if match is None:
        raise UsageError(f"{shown(text, 200)} has no number", "write it as 1000000, 1M or 1.5G")
    decimals, power = match[2] or "", FACTORS[match[3].upper()]
    number = int(match[1] + decimals.ljust(power, "0")[:power])
    if decimals[power:].strip("0") or number >= 2**63:
        raise UsageError(f"{shown(text, 200)} is not a whole number below 2^63")
    return number
