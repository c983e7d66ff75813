"""Rules of the package's structure that import-linter (`make lint`) does not check."""

import ast
from pathlib import Path

import pytest

import wort_cli
from wort_cli.cli import COMMANDS, GROUPS

PACKAGE = Path(wort_cli.__file__).parent
MODULES = {
    ".".join(("wort_cli", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
NOT_COMMANDS = {"wort_cli.commands", "wort_cli.commands.shared"}


def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def test_guard_imports_only_builtin_modules() -> None:
    names = {
        alias.name
        for node in ast.walk(tree("wort_cli.pipeline.toolkit.guard"))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert names == {"posix", "_signal"}


@pytest.mark.parametrize("module", MODULES)
def test_module_neither_prints_nor_exits(module: str) -> None:
    nodes = list(ast.walk(tree(module)))
    calls = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
    raised = [ast.unparse(node.exc) for node in nodes if isinstance(node, ast.Raise) and node.exc is not None]
    forbidden = {"print", "exit", "quit"} | (set() if module == "wort_cli.cli" else {"sys.exit"})
    assert not forbidden & calls
    assert not any(text.startswith("SystemExit") for text in raised)


@pytest.mark.parametrize("module", MODULES)
def test_module_has_a_docstring(module: str) -> None:
    assert ast.get_docstring(tree(module))


@pytest.mark.parametrize("module", MODULES)
def test_module_has_at_most_350_lines(module: str) -> None:
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= 350


def test_package_has_at_most_ten_files_at_its_top() -> None:
    assert len([path for path in PACKAGE.iterdir() if path.is_file()]) <= 10


@pytest.mark.parametrize(
    "module", [name for name in MODULES if name.startswith("wort_cli.commands") and ".shared" not in name]
)
def test_module_in_commands_is_a_command(module: str) -> None:
    if module in NOT_COMMANDS:
        return
    name = module.rpartition(".")[2]
    assert name.rstrip("_") in (*COMMANDS, *GROUPS)
