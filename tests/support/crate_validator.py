"""Validates RO-Crates by the validator of their makers, which has an environment of its own (scripts/setup.sh).

It is offline: the context of JSON-LD, which it would request, comes from the package `rocrate`.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PLACES = (Path(sys.prefix), Path(__file__).parents[2] / ".venv")
"""The environment of the tests, and that of scripts/setup.sh."""
PYTHON = next((path for place in PLACES if (path := place / "validator/bin/python").exists()), PLACES[1])
SCRIPT = Path(__file__).with_name("validate_crate.py")


def issues_in(crate: Path, scratch: Path, severity: str = "REQUIRED") -> list[str]:
    """Return what the validator finds wrong with a crate, a directory or a zip file; `scratch` is a directory."""
    report = scratch / "report.json"
    report.unlink(missing_ok=True)
    command: list[Path | str] = [PYTHON, SCRIPT, crate.absolute(), scratch, severity, report]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert report.exists(), done.stdout + done.stderr
    found: dict[str, Any] = json.loads(report.read_text())
    assert found["passed"] == (not found["issues"])
    return [f"{issue['check']['name']}: {issue['message']}" for issue in found["issues"]]
