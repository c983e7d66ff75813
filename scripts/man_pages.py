"""Writes the man pages, one for each command: `make docs` (packaging/man/*.1, which the wheel installs).

They are made from the commands, as docs/commands.md is.  tests/unit/docs/test_man_pages.py compares them with the
commands and has mandoc check them.  They have no date, so that a build has the same bytes each time.  Format: man(7).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import wort_cli
from scripts.reference import EXIT_CODES, all_commands
from scripts.setting_docs import setting_docs

DIRECTORY = Path(__file__).parents[1] / "packaging" / "man"
ESCAPES = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}
"""Characters that have another meaning in man pages, or are shown as others."""
KEPT_BREAK = "\b\n"
"""The first line of a paragraph of a help text whose lines are kept as they are (click)."""
FILES = """\
`wort config path` prints the path of the configuration file, and `wort config show` all directories. WORT_HOME moves
all files of wort below one directory."""
PRECEDENCE = """\
Each setting is a key of config.toml and an environment variable, which overrides it. An option of a command overrides
both."""


def escaped(text: str) -> str:
    """Return a text for a line of a page."""
    escaped = "".join(ESCAPES.get(c, c if c.isascii() else f"\\[u{ord(c):04X}]") for c in text)
    return rf"\&{escaped}" if escaped.startswith((".", r"\(aq")) else escaped


def styled(text: str) -> str:
    """Return an option or a usage: options in bold, what stands for a value in italics."""
    return re.sub(
        r"(?<![\w-])(--?\w[\w-]*)|([A-Z][A-Z0-9_]*)|([^-A-Z]+|.)",
        lambda found: (
            rf"\fB{escaped(found[1])}\fR"
            if found[1]
            else rf"\fI{escaped(found[2])}\fR"
            if found[2]
            else escaped(found[3])
        ),
        text,
    )


def paragraphs(text: str) -> Iterator[str]:
    """Yield a help text as paragraphs; the lines of those that begin with the mark of click are kept."""
    for number, block in enumerate(re.split(r"\n\s*\n", text.strip())):
        kept = block.startswith(KEPT_BREAK)
        if number:
            yield ".PP"
        if kept:
            yield ".nf"
            yield from map(escaped, block.removeprefix(KEPT_BREAK).splitlines())
            yield ".fi"
        else:
            yield escaped(" ".join(block.split()))


def tagged(pairs: Iterator[tuple[str, str]]) -> Iterator[str]:
    """Yield a list: a tag, and its text."""
    for tag, text in pairs:
        yield from (".TP", tag, escaped(" ".join(text.split())))


def page(path: tuple[str, ...], command: Any) -> str:
    """Return the page of a command."""
    context = command.context_class(command, info_name=" ".join(path), help_option_names=["-h", "--help"])
    below = [(other, found) for other, found, _ in all_commands() if len(other) > 1 and other[:-1] == path]
    summary = first_sentence(command.help)
    lines = [
        f'.TH {escaped("-".join(path).upper())} 1 "" "wort {wort_cli.__version__}" "User Commands"',
        ".SH NAME",
        rf"{escaped('-'.join(path))} \- {escaped(summary[0].lower() + summary[1:].removesuffix('.'))}",
        ".SH SYNOPSIS",
        rf"\fB{escaped(' '.join(path))}\fR {styled(' '.join(command.collect_usage_pieces(context)))}",
        ".SH DESCRIPTION",
        *paragraphs(command.help),
    ]
    parameters = command.get_params(context)
    for title, kind in (("ARGUMENTS", "argument"), ("OPTIONS", "option")):
        records = [each.get_help_record(context) for each in parameters if each.param_type_name == kind]
        if found := [(styled(record[0]), record[1]) for record in records if record]:
            lines += [f".SH {title}", *tagged(iter(found))]
    if below:
        lines += [
            ".SH COMMANDS",
            *tagged((rf"\fB{escaped(' '.join(other))}\fR", first_sentence(found.help)) for other, found in below),
        ]
    if len(path) == 1:
        lines += [".SH EXIT STATUS", *tagged((str(int(code)), text) for code, text in EXIT_CODES.items())]
        lines += [".SH ENVIRONMENT", *paragraphs(PRECEDENCE)]
        lines += tagged(
            (rf"\fB{item.variable}\fR", f"{item.description} Default: {item.default}.") for item in setting_docs()
        )
        lines += [".SH FILES", *paragraphs(FILES)]
    lines += [".SH SEE ALSO", ",\n".join(rf"\fB{escaped('-'.join(other))}\fR(1)" for other in related(path, below))]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def related(path: tuple[str, ...], below: list[tuple[tuple[str, ...], Any]]) -> list[tuple[str, ...]]:
    """Return the commands whose pages a page names: the one above, and those below."""
    return [*([path[:-1]] if path[:-1] else []), *(other for other, _ in below)] or [("wort",)]


def first_sentence(text: str) -> str:
    """Return the first sentence of a help text."""
    return re.split(r"(?<=\.)\s|\n\s*\n", text.strip())[0].replace("\n", " ")


def files() -> dict[Path, str]:
    """Return the text of each page."""
    return {DIRECTORY / f"{'-'.join(path)}.1": page(path, command) for path, command, _ in all_commands()}


def main() -> None:
    """Write the pages, and remove those of commands that are no more."""
    DIRECTORY.mkdir(exist_ok=True)
    wanted = files()
    for path in DIRECTORY.glob("*.1"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="ascii")


if __name__ == "__main__":
    main()
