"""Versions of wort and of the libraries that shape its signatures."""

from importlib.metadata import version

import wort_cli


def library_versions() -> dict[str, str]:
    """By name; cheap, nothing is imported."""
    return {"wort": wort_cli.__version__, **{name: version(name) for name in ("sourmash", "numpy")}}
