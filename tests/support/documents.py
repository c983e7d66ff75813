"""Reads the documents: their shell blocks, and every `wort ...` command line that they quote.

A comment directly above a ```sh block says how the tests treat it:

    <!-- not run: REASON -->    only its `wort` command lines are parsed
    <!-- needs: daemon -->      it is run while a daemon of the same home runs
    <!-- needs: no daemon -->   it is run while none runs
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = (
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
)
BLOCK = re.compile(
    r"(?:^[ \t]*<!-- (?P<mark>[^>]*) -->\n)?^(?P<indent>[ \t]*)```sh\n(?P<text>.*?)^[ \t]*```$", re.M | re.S
)
FENCED = re.compile(r"^[ \t]*```.*?^[ \t]*```$", re.M | re.S)
INLINE = re.compile(r"`(wort(?: [^`]*)?)`")
SUBSTITUTION = re.compile(r'"\$\(([^()]*)\)"')
OPERATORS = "|&;()<>"


@dataclass(frozen=True)
class ShellBlock:
    """A ```sh block of a document."""

    document: Path
    line: int
    text: str
    mark: str
    """The comment above it, '' if there is none."""

    def __str__(self) -> str:
        return f"{self.document.name}:{self.line}"

    @property
    def is_run(self) -> bool:
        """Whether the block is executed."""
        return not self.mark.startswith("not run: ")

    @property
    def needs_daemon(self) -> bool:
        """Whether a daemon must run."""
        return self.mark == "needs: daemon"

    @property
    def needs_no_daemon(self) -> bool:
        """Whether no daemon may run."""
        return self.mark == "needs: no daemon"


def shell_blocks(document: Path) -> list[ShellBlock]:
    """Return the ```sh blocks of a document, in order."""
    text = document.read_text(encoding="utf-8")
    return [
        ShellBlock(
            document,
            text.count("\n", 0, found.start()) + 1,
            "\n".join(line.removeprefix(found["indent"]) for line in found["text"].splitlines()),
            found["mark"] or "",
        )
        for found in BLOCK.finditer(text)
    ]


def blocks_of_section(document: Path, heading: str) -> list[ShellBlock]:
    """Return the ```sh blocks below a heading of the second level, in order."""
    lines = document.read_text(encoding="utf-8").splitlines()
    start = lines.index(f"## {heading}") + 1
    end = next((number for number, line in enumerate(lines[start:], start + 1) if line.startswith("## ")), len(lines))
    return [block for block in shell_blocks(document) if start < block.line < end]


def inline_commands(text: str) -> list[str]:
    """Return the command lines in backticks that start with `wort`, outside of fenced blocks."""
    return [" ".join(line.split()) for line in INLINE.findall(FENCED.sub("", text))]


def wort_commands(script: str) -> Iterator[list[str]]:
    """Yield the arguments of every `wort` in a shell script, also within "$(...)"."""
    lines = [*script.replace("\\\n", " ").splitlines(), *SUBSTITUTION.findall(script)]
    for line in lines:
        lexer = shlex.shlex(line, posix=True, punctuation_chars=OPERATORS)
        lexer.whitespace_split = True
        words: list[str] | None = None
        for token in lexer:
            if set(token) <= set(OPERATORS):
                if words is not None:
                    yield words
                words = None
            elif words is not None:
                words.append(token)
            elif token == "wort":
                words = []
        if words is not None:
            yield words
