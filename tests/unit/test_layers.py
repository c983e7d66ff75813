"""Imports point one way: values <- files and ledger <- pipeline <- daemon <- commands <- cli."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import wort_cli

PACKAGE = Path(wort_cli.__file__).parent
MODULES = {
    ".".join(("wort_cli", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
VALUES = {
    "errors", "accession", "profile", "failure", "job", "retry", "lease", "signature_record", "settings", "work",
    "versions", "instance", "machine", "health", "reserve", "s3_target", "verdict", "submission_record",
    "process_identity", "host_rate",
}  # fmt: skip
FILES = {"signature_file", "database", "controls", "ledger", "submissions", "submission", "condition", "metrics"}
LAYERS = ("the package", "values", "files", "pipeline", "upkeep", "daemon", "commands", "cli")
STANDS_ALONE = "wort_cli.pipeline.toolkit.guard"


def layer(module: str) -> str:
    """The layer that a module of ours is in."""
    parts = module.split(".")[1:]
    if not parts:
        return "the package"
    if parts[0] in VALUES:
        return "values"
    if parts[0] in FILES or parts[0] == "stores":
        return "files"
    if parts[0] in ("cli", "__main__"):
        return "cli"
    return parts[0]


def imports(module: str) -> Iterator[str]:
    """What a module imports, at its top or in a function, as full names of modules."""
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            assert node.module is not None
            for name in node.names:
                inner = f"{node.module}.{name.name}"
                yield inner if inner in MODULES else node.module


def ours(module: str) -> set[str]:
    return {name for name in imports(module) if name.split(".")[0] == "wort_cli"}


@pytest.mark.parametrize("module", MODULES)
def test_every_module_is_in_a_layer_and_imports_only_from_below(module: str) -> None:
    own = LAYERS.index(layer(module))
    above = {name for name in ours(module) if LAYERS.index(layer(name)) > own}
    assert above == set()


@pytest.mark.parametrize("module", [name for name in MODULES if layer(name) == "pipeline"])
def test_the_pipeline_knows_no_ledger_queue_or_terminal(module: str) -> None:
    forbidden = {
        "wort_cli.ledger.ledger",
        "wort_cli.ledger.database",
        "sqlite3",
        "sqlite_utils",
        "huey",
        "typer",
        "rich",
    }
    assert set(imports(module)) & forbidden == set()


@pytest.mark.parametrize("module", [name for name in MODULES if layer(name) in ("commands", "cli")])
def test_only_the_command_daemon_imports_the_daemon(module: str) -> None:
    if module != "wort_cli.commands.daemon":
        assert {name for name in ours(module) if layer(name) == "daemon"} == set()


@pytest.mark.parametrize(
    ("library", "users"),
    [
        ("huey", {"wort_cli.daemon.queue", "wort_cli.daemon.coordinator", "wort_cli.daemon.workers"}),
        ("boto3", {"wort_cli.stores.s3"}),
        ("prometheus_client", {"wort_cli.health.metrics", "wort_cli.daemon.metrics_process"}),
        ("sqlite3", {"wort_cli.ledger.database"}),
        ("sqlite_utils", {"wort_cli.ledger.database"}),
    ],
)
def test_a_library_is_used_in_its_own_room_only(library: str, users: set[str]) -> None:
    found = {module for module in MODULES if library in {name.split(".")[0] for name in imports(module)}}
    assert found <= users


@pytest.mark.parametrize("module", [name for name in MODULES if layer(name) == "values"])
def test_values_need_nothing_heavy(module: str) -> None:
    heavy = {"numpy", "sourmash", "scipy", "huey", "sqlite3", "sqlite_utils", "boto3", "rich", "typer", "subprocess"}
    assert {name.split(".")[0] for name in imports(module)} & heavy == set()


def test_the_guard_stands_alone() -> None:
    assert set(imports(STANDS_ALONE)) == {"posix", "_signal"}


@pytest.mark.parametrize("module", MODULES)
def test_no_module_prints_or_exits_by_itself(module: str) -> None:
    calls = [
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    raised = [
        ast.unparse(node.exc)
        for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8")))
        if isinstance(node, ast.Raise) and node.exc is not None
    ]
    assert "print" not in calls
    assert not {"exit", "quit"} & set(calls)
    assert not any(text.startswith("SystemExit") for text in raised)
    if module != "wort_cli.cli":
        assert "sys.exit" not in calls


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_what_it_does(module: str) -> None:
    assert ast.get_docstring(ast.parse(MODULES[module].read_text(encoding="utf-8")))


@pytest.mark.parametrize("module", MODULES)
def test_no_module_is_a_giant(module: str) -> None:
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= 400
