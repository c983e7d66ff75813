"""Compiled functions use nothing from other modules of wort, because numba's cache would not notice a change there."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import wort_cli

SOURCES = [path for path in Path(wort_cli.__file__).parent.rglob("*.py") if "@jit" in path.read_text(encoding="utf-8")]


def compiled_functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            names = {decorator.id for decorator in node.decorator_list if isinstance(decorator, ast.Name)}
            if names & {"jit", "jit_helper"}:
                yield node


def imported_names(tree: ast.Module) -> set[str]:
    """Return the names that a module imports from other modules of wort, except from lanes.py, which explains why."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("wort_cli")
        if node.module != "wort_cli.pipeline.sketching.lanes"
        for alias in node.names
    }


def test_modules_with_compiled_functions_are_found() -> None:
    names = {path.stem for path in SOURCES}
    assert {"kernel", "compiled_fasta", "hash_counts", "vdb_decoder", "seal"} <= names


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_compiled_function_uses_nothing_from_other_modules(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = imported_names(tree)
    for function in compiled_functions(tree):
        used = {node.id for part in function.body for node in ast.walk(part) if isinstance(node, ast.Name)}
        assert not used & imported, function.name
