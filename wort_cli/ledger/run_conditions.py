"""SQL for conditions on what is known of runs.

Every value is a parameter; names of columns and operators come from the lists in model/run_condition.py.
"""

from collections.abc import Sequence

from wort_cli.model.run_condition import COLUMNS, DATES, NUMBERS, ORDERINGS, RunCondition

KNOWN_RUN = "EXISTS (SELECT 1 FROM runs AS known_run WHERE known_run.run = {name} AND {condition})"
ESCAPED = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_", "*": "%", "?": "_"})


def run_conditions_sql(conditions: Sequence[RunCondition], name: str) -> tuple[str, dict[str, object]]:
    """Return the SQL of conditions on the run in the SQL column `name`, with its parameters; `1` for no condition."""
    terms, values = [], dict[str, object]()
    for condition in conditions:
        terms.append(condition_sql(condition, name, values))
    return " AND ".join(terms) or "1", values


def condition_sql(condition: RunCondition, name: str, values: dict[str, object]) -> str:
    """Return the SQL of one condition, and add its parameters to `values`."""
    if condition.column not in COLUMNS or condition.operator not in ("=", "!=", *ORDERINGS):
        raise ValueError(condition)
    column = f"known_run.{condition.column}"
    is_known = f"{column} IS NOT NULL" if condition.column in NUMBERS else f"{column} <> ''"
    known_run = KNOWN_RUN.replace("{name}", name)
    if not condition.values:
        negation = "" if condition.operator == "!=" else "NOT "
        return negation + known_run.replace("{condition}", is_known)
    alternatives = []
    for value in condition.values:
        parameter = f"run_{len(values)}"
        if condition.column in NUMBERS:
            operator = "=" if condition.operator == "!=" else condition.operator
            alternatives.append(f"{column} {operator} :{parameter}")
            values[parameter] = value
        elif condition.operator in ORDERINGS and condition.column in DATES:
            alternatives.append(f"substr({column}, 1, length(:{parameter})) {condition.operator} :{parameter}")
            values[parameter] = value
        else:
            alternatives.append(f"{column} LIKE :{parameter} ESCAPE '\\'")
            values[parameter] = str(value).translate(ESCAPED)
    negation = "NOT " if condition.operator == "!=" else ""
    return known_run.replace("{condition}", f"{is_known} AND {negation}({' OR '.join(alternatives)})")
