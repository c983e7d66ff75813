"""The Containerfile, the recipes and the metadata say the same, and nothing that is not so."""

import re
import subprocess
import tomllib
from importlib.metadata import distributions
from typing import Any

import jinja2
import pytest
import yaml
from packaging.specifiers import SpecifierSet

from scripts.containerfile import Instruction, instructions
from tests.support.documents import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONTAINERFILE = instructions((ROOT / "Containerfile").read_text(encoding="utf-8"))
OTHER_NAMES = {"isal": "python-isal", "backports-zstd": "backports.zstd",
    "sourmash": "sourmash-minimal", "matplotlib": "matplotlib-base", "prometheus-client": "prometheus_client",
}  # fmt: skip
"""The names that packages have in conda-forge."""
DEBIAN_PYTHON = "3.11.2"
"""Python of the oldest supported Debian."""


def values(name: str) -> list[str]:
    return [step.value for step in CONTAINERFILE if step.name == name]


def test_containerfile_is_read_with_continuation_lines() -> None:
    text = "# x\nFROM a AS b\nRUN one \\\n    && two\n\nCOPY --from=b /x y\n"
    assert instructions(text) == [
        Instruction("FROM", "a AS b"), Instruction("RUN", "one      && two"), Instruction("COPY", "--from=b /x y"),
    ]  # fmt: skip


def test_image_does_not_run_as_root() -> None:
    assert values("USER") == ["1000:1000"]
    assert [step.name for step in CONTAINERFILE][-2:] == ["ENTRYPOINT", "CMD"]


def test_everything_that_is_copied_is_in_the_build_context() -> None:
    allowed = {line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line.startswith("!")}
    copied = {word for value in values("COPY") if "--from" not in value for word in value.split()[:-1]}
    assert copied == allowed


def test_apptainer_image_has_the_packages_of_the_container() -> None:
    definition = (ROOT / "packaging" / "wort.def").read_text(encoding="utf-8")
    base = next(value for value in values("ARG")).rsplit("/", 1)[1]
    assert f"From: {base}\n" in definition
    packages = [
        set(re.findall(r"--no-install-recommends ([a-z0-9 -]+)", text)) for text in (definition, *values("RUN"))
    ]
    wanted = {word for found in packages[1:] for line in found for word in line.split()}
    assert {word for line in packages[0] for word in line.split()} == wanted


def test_definition_of_the_apptainer_image_has_sections_that_a_shell_can_run() -> None:
    header, *sections = re.split(
        r"^(?=%)", (ROOT / "packaging" / "wort.def").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    assert re.findall(r"^(\w+): \S+$", header, re.MULTILINE) == ["Bootstrap", "From"]
    bodies = dict(section.split("\n", 1) for section in sections)
    assert list(bodies) == ["%files", "%post", "%environment", "%runscript", "%test", "%labels"]
    for name in ("%post", "%environment", "%runscript", "%test"):
        subprocess.run(["sh", "-n"], input=bodies[name], text=True, check=True)
    built = {"dist/*.whl", "constraints.txt"}
    assert {line.split()[0] for line in bodies["%files"].splitlines() if line} == built
    assert "set -eu" in bodies["%post"]


def test_conda_recipe_is_yaml_with_the_files_that_it_names() -> None:
    directory = ROOT / "packaging" / "conda"
    recipe = yaml.safe_load(
        jinja2.Template((directory / "meta.yaml").read_text(encoding="utf-8")).render(PYTHON="python")
    )
    assert list(recipe) == ["package", "source", "build", "requirements", "test", "about"]
    assert recipe["package"] == {"name": PROJECT["name"], "version": PROJECT["version"]}
    assert (directory / recipe["source"]["path"]).resolve() == ROOT / "dist"
    assert recipe["build"]["script"].endswith(f" wort_cli-{PROJECT['version']}-py3-none-any.whl")
    assert recipe["build"]["entry_points"] == [f"{name} = {call}" for name, call in PROJECT["scripts"].items()]
    assert (directory / recipe["about"]["license_file"]).is_file()
    assert (recipe["about"]["license"], recipe["about"]["summary"]) == (PROJECT["license"], PROJECT["description"])


def test_conda_recipe_has_the_dependencies_of_the_package() -> None:
    recipe = (ROOT / "packaging" / "conda" / "meta.yaml").read_text(encoding="utf-8")
    run = recipe.partition("  run:\n")[2].partition("\ntest:")[0]
    found = set(re.findall(r"- (\S.*)", run))
    wanted = {f"python {PROJECT['requires-python']}", "sra-tools >=3.0.3"}
    for line in PROJECT["dependencies"]:
        name, versions = re.fullmatch(r"([a-z0-9-]+)([^;\s]+)(?:; .*)?", line).groups()  # type: ignore[union-attr]
        wanted.add(f"{OTHER_NAMES.get(name, name)} {versions}")
    assert found == wanted
    assert f'version = "{PROJECT["version"]}"' in recipe


@pytest.mark.parametrize("pattern", [r"Python :: (3\.\d+)"])
def test_supported_versions_of_python_are_those_that_were_tested(pattern: str) -> None:
    table = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    tested = re.findall(r"^\| Python \| (3\.\d+)[ .]", table, re.MULTILINE)
    assert [found for line in PROJECT["classifiers"] for found in re.findall(pattern, line)] == tested


def test_pinned_packages_can_be_installed_with_the_python_of_debian() -> None:
    refused = [
        each.name
        for each in distributions()
        if DEBIAN_PYTHON not in SpecifierSet((each.metadata.get_all("Requires-Python") or [""])[0])
    ]
    assert refused == []
