"""Compares a running server with the description of its interface: `make schemathesis SECONDS=600 SEED=1`.

schemathesis draws requests, valid and not, from the description that the server sends, and judges the responses: no
status 5xx, and no status, type, header or body that the description does not have.  Tokens are sent, so that jobs are
queued, cancelled, retried and paused, and signatures submitted.  Two paths are left out.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.support.homes import Home
from tests.support.served_home import served_home
from tests.support.web_server import WebServer, serving

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "allow_header_conformance",
    "ignored_auth",
)
USER, PASSWORD = "ann", "correct horse"
ALL_RIGHTS = "read,compute,submit,cancel,retry,pause"
TOKENS = "/tokens$"
"""The end of the paths where users get tokens, and where the token of a request is revoked."""
LEFT_OUT = ("--exclude-path", "/v1/events", "--exclude-path", "/submit")
"""The stream of events has no end; at the other path there is a page too, which the description does not have."""


@dataclass(frozen=True)
class Effort:
    """The length of a campaign: a number of examples of each operation, or seconds."""

    examples: int = 0
    seconds: int = 0
    seed: int = 1

    @property
    def options(self) -> list[str]:
        """The options of schemathesis."""
        found = ["--seed", str(self.seed)]
        found += ["--max-examples", str(self.examples)] if self.examples else []
        return found + (["--max-time", str(self.seconds)] if self.seconds else [])


def run(server: WebServer, directory: Path, effort: Effort, *options: str) -> subprocess.CompletedProcess[str]:
    """Run schemathesis against a server, in a directory."""
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/v1/openapi.json",
        "--checks", ",".join(CHECKS), *LEFT_OUT, "--continue-on-failure",
        "--request-timeout", "60", "--suppress-health-check", "all", "--warnings", "off",
        *effort.options, *options,
    ]  # fmt: skip
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONWARNINGS": "ignore"}
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)


def run_all(home: Home, server: WebServer, effort: Effort) -> list[subprocess.CompletedProcess[str]]:
    """Run schemathesis with a token, and then as a user who gets tokens; return both results."""
    secret = home("token", "add", "schemathesis", "--may", ALL_RIGHTS).expect(0).out.strip()
    home("token", "password", USER, "--may", ALL_RIGHTS, stdin=f"{PASSWORD}\n").expect(0)
    bearer = ("--exclude-path-regex", TOKENS, "--header", f"Authorization: Bearer {secret}")
    few = Effort(examples=min(10, effort.examples or 10), seed=effort.seed)
    return [
        run(server, home.cwd, effort, *bearer),
        run(server, home.cwd, few, "--include-path-regex", TOKENS, "--auth", f"{USER}:{PASSWORD}"),
    ]


def main() -> int:
    """Run it for a time; print what schemathesis says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as root, served_home(Path(root)) as home, serving(home, "--rate", "0") as server:
        results = run_all(home, server, Effort(seconds=given.seconds, seed=given.seed))
    for result in results:
        print(result.stdout, result.stderr, sep="")
    return max(result.returncode for result in results)


if __name__ == "__main__":
    sys.exit(main())
