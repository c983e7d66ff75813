"""docs/commands.md is what the commands say of themselves."""

from pathlib import Path

from scripts.reference import reference


def test_the_command_reference_is_up_to_date() -> None:
    document = Path(__file__).parents[2] / "docs" / "commands.md"
    assert document.read_text(encoding="utf-8") == reference(), "run `make docs`"
