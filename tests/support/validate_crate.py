"""Runs the validator of RO-Crates without a network; it runs in the validator's environment.

python validate_crate.py CRATE DIRECTORY SEVERITY REPORT
"""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests_cache import CachedSession
from rocrate_validator.cli.main import cli
from urllib3 import HTTPResponse

CONTEXT = "https://w3id.org/ro/crate/1.1/context"


class Packaged(HTTPAdapter):
    """Answers every request with the context of RO-Crate 1.1, as the package `rocrate` has it."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Return the context."""
        found = importlib.util.find_spec("rocrate")
        assert found is not None and found.origin is not None
        file = Path(found.origin).with_name("data") / "ro-crate.jsonld"
        headers = {"Content-Type": "application/ld+json"}
        body = file.open("rb")
        return self.build_response(request, HTTPResponse(body, headers, status=200, preload_content=False))


def as_text(self: json.JSONEncoder, o: Any) -> Any:
    """Return any value of the report as text."""
    return str(o)


def main() -> None:
    """Put the context into the validator's cache, and validate."""
    crate, directory, severity, report = sys.argv[1:]
    cache = f"{directory}/cache"
    with CachedSession(cache, backend="sqlite", expire_after=-1) as session:
        session.mount("https://", Packaged())
        session.get(CONTEXT).raise_for_status()
    json.JSONEncoder.default = as_text  # type: ignore[method-assign]  # else the report of a zip file fails
    options = ["--offline", "--cache-path", cache, "--no-paging", "-f", "json", "-o", report, "-l", severity]
    cli(["validate", *options, "-p", "ro-crate-1.1", crate])


if __name__ == "__main__":
    main()
