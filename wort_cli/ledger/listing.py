"""SQL for lists of signatures in order of their names, which are read one page at a time."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from wort_cli.ledger.database import PROFILES, queries
from wort_cli.ledger.run_conditions import run_conditions_sql
from wort_cli.model.run_condition import RunCondition

PAGE = 1000
"""Rows that one query reads."""
LITERAL = re.compile(r"[^*?\[]*")
"""The beginning of a pattern that stands for itself, by which the index is searched."""

OF_ALL = {"tables": "signatures", "key": "signatures.name", "condition": "signatures.profile IN {profiles}"}
OF_A_GROUP = {
    "tables": "group_members AS members CROSS JOIN signatures ON signatures.name = members.name"
    " AND signatures.profile = members.profile",
    "key": "members.name",
    "condition": "members.group_name = :group_name AND members.profile IN {profiles}"
    # A signature that is to be computed and to be verified is two members.
    " AND NOT EXISTS (SELECT 1 FROM group_members AS other WHERE other.group_name = members.group_name"
    " AND other.name = members.name AND other.profile = members.profile AND other.subject < members.subject)",
}
OF_NAMES = {
    "tables": "json_each(:names) AS wanted CROSS JOIN signatures"
    " ON signatures.name = wanted.value AND signatures.profile IN {profiles}",
    "key": "signatures.name",
    "condition": "1",
}
"""SQL for the list of all signatures, of those of a group, and of those with some names.

Each is read in the order of an index, or of the names.
"""


def list_sql(query: str, of: Mapping[str, str]) -> str:
    """Return the SQL of a named query for one of these lists."""
    sql = queries()[query]
    for part, text in of.items():
        sql = sql.replace(f"{{{part}}}", text.replace("{profiles}", PROFILES))
    return sql


def with_conditions(
    of: Mapping[str, str], conditions: Sequence[RunCondition]
) -> tuple[dict[str, str], dict[str, object]]:
    """Return the SQL for a list of which the runs meet some conditions, and the parameters of these."""
    sql, values = run_conditions_sql(conditions, of["key"])
    return {**of, "condition": f"{of['condition']} AND {sql}"}, values


def pattern_values(pattern: str) -> dict[str, object]:
    """Return the values of a query for a pattern of names, with * and ?; empty for all names."""
    literal = LITERAL.match(pattern)
    prefix = literal[0] if literal else ""
    return {"start": prefix, "end": f"{prefix}\uffff", "pattern": pattern.replace("[", "[[]")}


def following(name: str) -> str:
    """Return the start of the next page after a name; SQLite searches the index by one bound only."""
    return f"{name}\0"


def pages(names: Iterable[str]) -> Iterator[Sequence[str]]:
    """Yield the names in pieces of PAGE."""
    rest = iter(names)
    while page := list(islice(rest, PAGE)):
        yield page
