"""docs/trust.md: its program computes our digest, and it knows every kind of trust."""

import re
import subprocess
import sys
from pathlib import Path

from tests.support.submissions import valid_signature
from wort_cli.model.provenance import Trust
from wort_cli.model.signature_file import parse_signature

DOCUMENT = (Path(__file__).parents[3] / "docs" / "trust.md").read_text(encoding="utf-8")


def test_its_program_computes_the_digest(tmp_path: Path) -> None:
    found = re.search(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found is not None
    (tmp_path / "x.sig").write_bytes(valid_signature())
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", found[1], tmp_path / "x.sig"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == parse_signature(valid_signature()).digest


def test_it_knows_every_kind_of_trust() -> None:
    assert all(f"| `{trust}` |" in DOCUMENT for trust in Trust)
