"""docs/security.md names a test for each attack, and every test of tests/attacks."""

import re

from tests.support.documents import ROOT

ROW = re.compile(r"^\| (?P<attack>[^|]+) \| (?P<defence>[^|]+) \| (?P<tests>[^|]+) \|$", re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
TEST = re.compile(r"^def (test_\w+)", re.MULTILINE)
DOCUMENT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def names_in(path: str) -> set[str]:
    text = (ROOT / path).read_text(encoding="utf-8")
    return set(TEST.findall(text))


def named_tests() -> set[tuple[str, str]]:
    return set(NAMED.findall(DOCUMENT))


def test_each_attack_names_tests_that_exist() -> None:
    rows = [row for row in ROW.finditer(DOCUMENT) if row["attack"] not in ("attack", "---")]
    assert rows
    assert [row["attack"] for row in rows if not NAMED.search(row["tests"])] == []
    assert sorted(f"{path}::{name}" for path, name in named_tests() if name not in names_in(path)) == []


def test_each_test_of_an_attack_is_named() -> None:
    paths = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests" / "attacks").glob("test_*.py"))
    assert paths
    existing = {(path, name) for path in paths for name in names_in(path)}
    assert sorted(existing - named_tests()) == []
