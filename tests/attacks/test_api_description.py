"""A short run of schemathesis; `make schemathesis` runs it for longer."""

from pathlib import Path

import pytest

from tests.attacks.api_description import Effort, run_all
from tests.support.served_home import served_home
from tests.support.web_server import serving


@pytest.mark.parametrize("reading", ["open", "token"])
def test_server_does_what_its_description_says(reading: str, tmp_path: Path) -> None:
    """No status 5xx, and no answer that the description does not have."""
    with served_home(tmp_path) as home, serving(home, "--rate", "0", env={"WORT_SERVE_READING": reading}) as server:
        for result in run_all(home, server, Effort(examples=6)):
            assert result.returncode == 0, result.stdout + result.stderr
            assert "No issues found" in result.stdout
