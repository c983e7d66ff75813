"""The web site of the documents: every link is right, and its pages load nothing from other sites."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.documents import ROOT

LOADED = re.compile(
    r'<(?:script|img|iframe)[^>]*\bsrc="(?:https?:)?//|<link[^>]*rel="(?:stylesheet|preconnect)"[^>]*href="https?:'
)


def test_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", tmp_path / "site"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 0, done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert {"index.html", "contributing.html", "glossary.html", "commands.html"} <= {page.name for page in pages}
    assert [page.name for page in pages if LOADED.search(page.read_text(encoding="utf-8"))] == []
