"""docs/architecture.md names every module of wort_cli, and only modules that exist."""

import re
from pathlib import Path

import pytest

import wort_cli
from tests.support.documents import DOCUMENTS, ROOT

PACKAGE = Path(wort_cli.__file__).parent
DOCUMENT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
TREE = DOCUMENT.split("## The tree\n")[1].split("\n## ")[0]
NOT_IN_THE_MAP = {"py.typed"}


def modules_in_the_map() -> set[str]:
    found = set()
    for section in TREE.split("\n### ")[1:]:
        heading, body = section.split("\n", 1)
        folder = re.match(r"`([\w/]+/)`", heading)
        for row in re.findall(r"^\| (`[^|]*`) \|", body, re.MULTILINE):
            found |= {(folder[1] if folder else "") + name for name in re.findall(r"`([^`]+)`", row)}
    return found


def modules_in_the_tree() -> set[str]:
    files = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*") if path.is_file()}
    return {name for name in files if "__pycache__" not in name and not name.endswith("__init__.py")} - NOT_IN_THE_MAP


def test_map_names_exactly_the_modules_of_the_package() -> None:
    named, existing = modules_in_the_map(), modules_in_the_tree()
    assert sorted(existing - named) == [], "add them to the map"
    assert sorted(named - existing) == [], "remove them from the map"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_named_in_running_text_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8").replace(TREE, "")
    for name in re.findall(r"`([\w.-]+(?:/[\w.-]+)+\.(?:py|sql|sh|toml|c))`", text):
        if re.search(r"\bN(AME)?\b", name):  # a placeholder
            continue
        assert (PACKAGE / name).is_file() or (ROOT / name).is_file(), name
