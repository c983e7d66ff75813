"""docs/commands.md documents every command, option, setting, reason and exit code of the code."""

import re
from pathlib import Path
from typing import Any

import pytest

from scripts.reference import all_commands, reference
from scripts.setting_docs import setting_docs
from wort_cli.errors import ExitCode
from wort_cli.model.failure import Reason

DOCUMENT = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
COMMANDS = {" ".join(path): command for path, command, _ in all_commands()}


def section(heading: str) -> str:
    """Return the text below a heading, up to the next one."""
    found = re.search(rf"^##+ {re.escape(heading)}$(.*?)(?=^##|\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found, f"docs/commands.md has no section {heading!r}"
    return found[1]


def test_document_is_the_output_of_the_generator() -> None:
    assert reference() == DOCUMENT, "run `make docs`"


@pytest.mark.parametrize(
    "command", ["wort", "wort compute", "wort daemon reload", "wort sync push", "wort config path"]
)
def test_walk_of_the_commands_finds_commands_and_subcommands(command: str) -> None:
    assert command in COMMANDS


@pytest.mark.parametrize(("name", "command"), COMMANDS.items())
def test_command_has_a_section_with_all_its_options(name: str, command: Any) -> None:
    text = section(name)
    assert f"Usage: {name} " in text
    for parameter in command.params:
        for option in (*parameter.opts, *parameter.secondary_opts):
            assert not option.startswith("-") or re.search(rf"(?<![\w-]){option}(?![\w-])", text), option


@pytest.mark.parametrize(("name", "command"), COMMANDS.items())
def test_help_describes_the_command_and_every_parameter(name: str, command: Any) -> None:
    assert command.help
    assert all(parameter.help for parameter in command.params), name


@pytest.mark.parametrize("setting", setting_docs(), ids=lambda setting: setting.name)
def test_setting_is_documented_with_its_variable_and_default(setting: Any) -> None:
    assert f"| `{setting.name}` | `{setting.variable}` | {setting.default} |" in section("Settings")


@pytest.mark.parametrize("reason", Reason)
def test_reason_is_documented_with_its_disposition_meaning_and_hint(reason: Reason) -> None:
    row = f"| `{reason}` | {reason.disposition} | {reason.sentence} | {reason.hint} |"
    assert row in section("Reasons")


@pytest.mark.parametrize("code", ExitCode)
def test_exit_code_is_documented(code: ExitCode) -> None:
    assert re.search(rf"^\| {int(code)} \| .+ \|$", section("Exit codes"), re.MULTILINE)
