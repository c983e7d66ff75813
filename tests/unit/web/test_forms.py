"""Paths to which a browser may be sent after a form."""

import pytest

from wort_cli.web.forms import local_path


@pytest.mark.parametrize("path", ["/", "/queue", "/queue?state=queued&group=a%2Fb", "/view/sra/SRR000001/", "/?q=a+b"])
def test_path_of_the_server_stays(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "queue", "//evil.example", "///evil", "/\\evil", "\\\\evil", "http://evil", "/a\nb", "/a\tb", "/é",
     "/" + "a" * 3000, "/<script>", "javascript:alert(1)", " /queue"],
)  # fmt: skip
def test_anything_else_leads_to_the_first_page(path: str) -> None:
    assert local_path(path) == "/"
