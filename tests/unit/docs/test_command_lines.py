"""Every `wort` command line in the documents and in messages is one that the command line accepts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

import wort_cli
from tests.support.documents import DOCUMENTS, ROOT, inline_commands, shell_blocks, wort_commands
from wort_cli.cli import program

PACKAGE = Path(wort_cli.__file__).parent
PLACEHOLDER = re.compile(r"\{[^{}]*\}|\b[A-Z]\b|\bNUMBER\b")
"""The placeholder of a number or a name in a quoted command line: `{name}` of an f-string, N."""
INCOMPLETE = ("MissingParameter", "NoArgsIsHelpError")
LANGUAGES = re.compile(r"^[ \t]*```(bash|shell|console|sh-session|zsh|sh[ \t]+.*)$", re.MULTILINE)
"""Other ways to mark a shell block, which no test would run."""
COMMAND: Any = typer.main.get_command(program())


def refusal(words: list[str], *, quoted: bool = False) -> str:
    """Return why the command line refuses `words`, '' if it accepts them; a quoted line may leave out arguments."""
    command, rest = COMMAND, words
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        if rest[0] not in command.commands and hasattr(command, "default"):
            rest = [command.default, *rest]
        if rest[0] not in command.commands:
            return f"there is no command {rest[0]}"
        command, rest = command.commands[rest[0]], rest[1:]
    try:
        command.make_context("wort", list(rest))
    except typer.Exit:
        return ""
    except Exception as error:
        kind = type(error).__name__
        return "" if quoted and kind in INCOMPLETE else f"{kind}: {error}"
    return ""


def block_lines() -> Iterator[tuple[str, list[str]]]:
    for document in DOCUMENTS:
        for block in shell_blocks(document):
            for words in wort_commands(block.text):
                yield f"{block}: wort {' '.join(words)}", words


def test_every_shell_block_is_run_or_says_why_not() -> None:
    wrong = []
    for document in DOCUMENTS:
        for block in shell_blocks(document):
            kind, _, reason = block.mark.partition(": ")
            if block.mark and not (
                block.mark in ("needs: daemon", "needs: no daemon") or (kind == "not run" and reason)
            ):
                wrong.append(f"{block}: {block.mark!r} is no mark")
        wrong += [
            f"{document.name}: ```{language}" for language in LANGUAGES.findall(document.read_text(encoding="utf-8"))
        ]
    assert not wrong


def help_examples() -> Iterator[tuple[str, list[str]]]:
    """Yield the examples of `--help`, as docs/commands.md has them."""
    document = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    for line in re.findall(r"^    (wort .*)$", document, re.MULTILINE):
        for words in wort_commands(re.split(r"\s{2,}", line)[0]):
            yield f"commands.md: {line}", words


def quoted_lines() -> Iterator[tuple[str, list[str]]]:
    """Command lines in backticks: in documents, and in the strings of the package."""
    for document in DOCUMENTS:
        for line in inline_commands(document.read_text(encoding="utf-8")):
            yield f"{document.relative_to(ROOT)}: {line}", line.split()
    for module in sorted(PACKAGE.rglob("*.py")):
        for text in strings_of(ast.parse(module.read_text(encoding="utf-8"))):
            for line in inline_commands(text):
                yield f"{module.relative_to(PACKAGE)}: {line}", line.split()


def strings_of(tree: ast.AST) -> Iterator[str]:
    """Yield the strings of a module; an f-string's fields become `{}`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("words", [pytest.param(words, id=name) for name, words in (*block_lines(), *help_examples())])
def test_command_line_of_a_document_is_accepted(words: list[str]) -> None:
    assert not refusal(words)


def test_quoted_command_lines_are_accepted() -> None:
    refused = []
    for name, words in quoted_lines():
        arguments = [PLACEHOLDER.sub("1", word) for word in words[1:] if word not in ("...", "…")]
        if why := refusal(arguments, quoted=True):
            refused.append(f"{name}: {why}")
    assert not refused


@pytest.mark.parametrize(
    "words",
    [["compute", "--no-such-option"], ["no-such-command"], ["daemon", "stop", "--force"], ["wait", "--timeout"]],
)
def test_wrong_command_line_is_refused(words: list[str]) -> None:
    assert refusal(words)
