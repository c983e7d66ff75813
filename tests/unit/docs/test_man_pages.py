"""The man pages are those of the commands, are correct, and show what the help texts say."""

import re
import subprocess
from typing import Any

import pytest

from scripts.man_pages import DIRECTORY, escaped, files, styled
from scripts.reference import all_commands

COMMANDS = {"-".join(path): command for path, command, _ in all_commands()}


def mandoc(*arguments: Any) -> str:
    """Return what mandoc prints, overstruck letters as they are seen."""
    done = subprocess.run(["mandoc", *arguments], capture_output=True, text=True, check=False)
    return re.sub(".\b", "", done.stdout) + done.stderr


def test_pages_are_those_of_the_generator() -> None:
    assert {path: path.read_text(encoding="ascii") for path in DIRECTORY.iterdir()} == files(), "run `make docs`"


def test_pages_have_no_fault() -> None:
    found = mandoc("-T", "lint", "-W", "warning", *sorted(DIRECTORY.iterdir())).splitlines()
    assert [line for line in found if "missing date" not in line] == []


@pytest.mark.parametrize("name", ["wort", "wort-compute", "wort-config-set", "wort-daemon"])
def test_page_shows_the_help_text_and_every_option(name: str) -> None:
    shown = mandoc("-T", "ascii", "-O", "width=500", DIRECTORY / f"{name}.1")
    words = " ".join(shown.split())
    for paragraph in COMMANDS[name].help.replace("\b", "").split("\n\n"):
        assert " ".join(paragraph.split()) in words
    for parameter in COMMANDS[name].params:
        assert " ".join(parameter.help.split()) in words
        assert all(option in words for option in parameter.opts if option.startswith("-"))


def test_characters_with_a_meaning_in_roff_are_shown_as_they_are() -> None:
    lines = [".TH ignored", "'quoted' `code` ~/x^2 -1", "back\\slash \\fB", ". \u00d7 \u2026"]
    page = "\n.br\n".join(['.TH X 1 "" "x" "x"\n.SH NAME\nx \\- y\n.SH D', *map(escaped, lines)])
    done = subprocess.run(["mandoc", "-T", "utf8"], input=page, capture_output=True, text=True, check=True)
    assert all(line in done.stdout for line in lines)
    assert styled("-o, --output FILE|DIR/") == r"\fB\-o\fR, \fB\-\-output\fR \fIFILE\fR|\fIDIR\fR/"
