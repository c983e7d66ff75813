"""Tables of a terminal: which columns fit, where texts are folded, and how cells are aligned."""

import re
import shutil
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import zip_longest

from wort_cli.commands.shared.showing.fields import Field
from wort_cli.commands.shared.showing.render import notice, result
from wort_cli.commands.shared.showing.styles import STATE_STYLES, sequences, styled

GAP = "  "
"""The space between two columns."""
ALWAYS_SHOWN = 3
"""Columns at the start of a table that are never left out."""
WORD = re.compile(r"\S+\s*")
Widths = Mapping[str, int]
"""The width of each column, in cells of the terminal, by its key."""


def write_table(fields: Sequence[Field], cells: Mapping[str, Sequence[str]]) -> None:
    """Write a table without a frame; `cells` has the texts of each column by its key.

    In a narrow terminal, ids and places (Kind.kept) keep their width, so that they can be copied.  Texts are folded.
    If that does not suffice, the middle columns are left out, the last ones first.  If that does not suffice, a table
    of several lines has no places, and the lines of others are longer than the terminal.
    """
    width = shutil.get_terminal_size().columns
    widest = {field.key: widest_of((field.header, *cells[field.key])) for field in fields}
    least = {field.key: least_width(field, widest[field.key]) for field in fields}
    shown, left_out = fitting(fields, least, width, several=bool(fields) and len(cells[fields[0].key]) > 1)
    widths = folded_widths({field.key: widest[field.key] for field in shown}, least, width)
    starts = sequences(["bold", *STATE_STYLES.values()])
    styles = {state: starts[style] for state, style in STATE_STYLES.items()}
    header = GAP.join(aligned(field, field.header, widths[field.key]) for field in shown).rstrip()
    result(styled(header, starts["bold"]))
    if any(widths[field.key] < widest[field.key] for field in shown):
        rows = folded_rows(shown, cells, widths, styles)
    else:
        columns = [column(field, cells[field.key], widths[field.key], styles) for field in shown]
        rows = zip(*columns, strict=True)
    for row in rows:
        result(GAP.join(row).rstrip())
    if left_out:
        notice(f"left out, for lack of space: {', '.join(field.header for field in left_out)}")


def least_width(field: Field, widest: int) -> int:
    """Return the width to which a column may be folded."""
    kind = field.kind
    return widest if kind.kept or kind.right else min(widest, max(kind.least, cells_of(field.header)))


def fitting(
    fields: Sequence[Field], least: Widths, width: int, *, several: bool
) -> tuple[Sequence[Field], Sequence[Field]]:
    """Return the columns that fit into a width, and those that are left out; `several`: the table has several lines."""
    shown = list(fields)
    needed = [*fields[:ALWAYS_SHOWN], *(field for field in fields[ALWAYS_SHOWN:] if field.kind.kept)]
    if several and width_of([least[field.key] for field in needed]) > width:
        shown = [field for field in fields if field in fields[:ALWAYS_SHOWN] or not field.kind.place]
    for field in reversed(fields[ALWAYS_SHOWN:]):
        if width_of([least[each.key] for each in shown]) <= width:
            break
        if not field.kind.kept:
            shown.remove(field)
    return shown, [field for field in fields if field not in shown]


def folded_widths(widest: Widths, least: Widths, width: int) -> Widths:
    """Return the widths with which columns fit into a width, if their least widths do: the widest give way."""
    widths = {key: max(least[key], min(each, width)) for key, each in widest.items()}
    for _ in range(width_of(widths.values()) - width):
        foldable = [key for key, each in widths.items() if each > least[key]]
        if not foldable:
            break
        widths[max(foldable, key=lambda key: widths[key])] -= 1
    return widths


def width_of(widths: Collection[int]) -> int:
    """Return the width of a table with columns of some widths."""
    return sum(widths) + len(GAP) * (len(widths) - 1)


def column(field: Field, texts: Sequence[str], width: int, styles: Mapping[str, str]) -> list[str]:
    """Return the aligned cells of a column that is not folded; most of them have no style."""
    justified = str.rjust if field.kind.right else str.ljust
    return [
        justified(text, width)
        if text.isascii() and text not in styles
        else aligned(field, text, width, styles.get(text, ""))
        for text in texts
    ]


def folded_rows(
    fields: Sequence[Field], cells: Mapping[str, Sequence[str]], widths: Widths, styles: Mapping[str, str]
) -> Iterator[tuple[str, ...]]:
    """Yield the lines of a table whose cells may take several lines."""
    for row in zip(*(cells[field.key] for field in fields), strict=True):
        columns = [
            [aligned(field, line, widths[field.key], styles.get(text, "")) for line in folded(text, widths[field.key])]
            for field, text in zip(fields, row, strict=True)
        ]
        for line in zip_longest(*columns):
            yield tuple(text or " " * widths[field.key] for field, text in zip(fields, line, strict=True))


def aligned(field: Field, text: str, width: int, start: str = "") -> str:
    """Return a text with the spaces that its column needs, outside of the escape sequences of its style."""
    space, shown = " " * (width - cells_of(text)), styled(text, start)
    return f"{space}{shown}" if field.kind.right else f"{shown}{space}"


def folded(text: str, width: int) -> list[str]:
    """Return a text as lines of a width, broken between words, and within words that are longer."""
    if cells_of(text) <= width:
        return [text]
    lines = [""]
    for word in WORD.findall(text):
        if lines[-1] and cells_of(lines[-1] + word.rstrip()) > width:
            lines.append("")
        for character in word:
            if not character.isspace() and cells_of(lines[-1] + character) > width:
                lines.append("")
            lines[-1] += character
    return [line.rstrip() for line in lines]


def widest_of(texts: Sequence[str]) -> int:
    """Return the cells that the widest text takes."""
    return max(map(len if all(map(str.isascii, texts)) else cells_of, texts))


def cells_of(text: str) -> int:
    """Return the cells of a terminal that a text takes: two for a wide character, none for one that is combined."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
