"""Loops use nothing from other modules of wort but those whose change makes their machine code invalid."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import wort_cli
from tests.unit.pipeline.sketching.loops_in_use import ALL
from wort_cli.pipeline.sketching import loops
from wort_cli.pipeline.sketching.loops import Loops

SOURCES = [
    path for path in Path(wort_cli.__file__).parent.rglob("*.py") if "@jit\n" in path.read_text(encoding="utf-8")
]


def imported_modules(path: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("wort_cli"):
            yield Path(str(import_module(str(node.module)).__file__))


def test_each_module_with_compiled_functions_belongs_to_loops() -> None:
    assert sorted(path.stem for path in SOURCES) == sorted(each.name for each in ALL)


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.name)
def test_code_of_loops_depends_on_all_their_sources(each: Loops) -> None:
    path = next(path for path in SOURCES if path.stem == each.name)
    known = {path, *each.sources, *(Path(loops.__file__).parent / f"{name}.py" for name in loops.SHARED_SOURCES)}
    assert set(imported_modules(path)) <= known
