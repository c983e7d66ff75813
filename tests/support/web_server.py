"""A running `wort serve`, and curl."""

import contextlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from httpx._config import DEFAULT_TIMEOUT_CONFIG

from tests.support.homes import Home, Running
from tests.support.polling import LONGEST, until

for phase in ("connect", "read", "write", "pool"):
    setattr(DEFAULT_TIMEOUT_CONFIG, phase, LONGEST)
"""httpx gives a server five seconds, which a busy machine may need."""


@dataclass(frozen=True)
class WebServer:
    """A server of a home; `url` has no slash at its end, and `link` signs its user in, once."""

    url: str
    running: Running
    link: str = ""

    def log(self) -> list[dict[str, object]]:
        """Return the lines of the access log."""
        lines = self.running.err.read_text(encoding="utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]

    def logged(self, path: str) -> dict[str, object]:
        """Return the newest line about a path, once it is there: it is written after the response."""
        return until(lambda: [line for line in self.log() if line["path"] == path], f"a line about {path}")[-1]


@contextlib.contextmanager
def serving(home: Home, *arguments: str, env: Mapping[str, str] | None = None) -> Iterator[WebServer]:
    """Run `wort serve` on a free port; stop it at the end, and assert that it logged no error."""
    with home.running("serve", "--port", "0", "--json", *arguments, env=env) as running:

        def announced() -> str:
            assert running.process.poll() is None, running.wait()
            return running.out.read_text(encoding="utf-8")

        document = json.loads(until(lambda: announced().endswith("}\n") and announced(), "the server is ready") or "")
        yield WebServer(document["url"].rstrip("/"), running, document["sign_in"] or "")
        running.process.terminate()
        done = running.wait()
        assert done.code == 0, done
        assert "Traceback" not in done.err, done


@dataclass(frozen=True)
class Curled:
    """The result of curl: its exit code, the last status, and the bytes that it stored."""

    code: int
    status: int
    body: bytes
    redirects: int


def curl(directory: Path, url: str, *options: str) -> Curled:
    """Fetch a URL with curl into a file of a directory."""
    out = directory / "curled"
    out.unlink(missing_ok=True)
    done = subprocess.run(
        ["curl", "-s", "--max-time", "60", *options, "-o", str(out), "-w", "%{http_code} %{num_redirects}", url],
        capture_output=True, text=True, check=False, timeout=90,
    )  # fmt: skip
    status, redirects = map(int, done.stdout.split())
    return Curled(done.returncode, status, out.read_bytes() if out.exists() else b"", redirects)
