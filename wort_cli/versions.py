"""Versions of wort, of the libraries that shape its signatures, and of tools."""

import re

import wort_cli

TOOL_VERSION = re.compile(r"\d+\.\d+\.\d+")


def library_versions() -> dict[str, str]:
    """By name; cheap, nothing is imported."""
    from importlib.metadata import version

    return {"wort": wort_cli.__version__, **{name: version(name) for name in ("sourmash", "numpy")}}


def tool_version(said: str) -> str:
    """The version in what a tool of the SRA toolkit answers to --version; '' if there is none."""
    found = TOOL_VERSION.search(said)
    return found.group() if found else ""
