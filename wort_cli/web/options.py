"""The options of a server, and the addresses at which it may listen."""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

from wort_cli.errors import NoSuchFile, UsageError, shown
from wort_cli.settings import Settings

LOOPBACK = "127.0.0.1"
PORT = 8082
"""The port at which the service that wort succeeds was published."""
ROOT_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")


@dataclass(frozen=True)
class ServeOptions:
    """The options of a server.  Raises UsageError if it must not run with them."""

    host: str = LOOPBACK
    port: int = PORT
    root_path: str = ""
    """The path below which a proxy shows the server; empty for the root."""
    read_only: bool = False
    behind_proxy: bool = False
    """Whether all connections come from a reverse proxy, which encrypts and says who the client is."""
    rate: int = 500
    """Requests a second of one address; 0 for any number."""
    tls_certificate: Path | None = None
    tls_key: Path | None = None

    def __post_init__(self) -> None:
        if not ROOT_PATH.fullmatch(self.root_path):
            raise UsageError(f"{shown(self.root_path)} is not a root path", "give a path such as /wort")
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise UsageError("--tls-cert and --tls-key belong together")
        for file in (self.tls_certificate, self.tls_key):
            if file is not None and not file.is_file():
                raise NoSuchFile(file)
        if not (is_loopback(self.host) or self.behind_proxy or self.has_tls):
            raise UsageError(
                f"{shown(self.host)} can be reached from other machines, and the connections would not be encrypted",
                "give --tls-cert and --tls-key, or --behind-proxy if a reverse proxy encrypts them (docs/serve.md)",
            )

    @classmethod
    def of(cls, settings: Settings) -> "ServeOptions":
        """Return the options in the settings.  Raises UsageError if a server must not run so."""
        certificate, key = settings.serve_certificate, settings.serve_key
        return cls(
            settings.serve_host,
            settings.serve_port,
            settings.serve_root_path,
            settings.serve_read_only,
            settings.serve_behind_proxy,
            settings.serve_rate,
            Path(certificate) if certificate else None,
            Path(key) if key else None,
        )

    @property
    def has_tls(self) -> bool:
        """Whether the server itself encrypts."""
        return self.tls_certificate is not None

    @property
    def has_link(self) -> bool:
        """Whether the user of this machine may sign in with a link: nobody else can reach the server."""
        return is_loopback(self.host) and not (self.behind_proxy or self.read_only)

    def url(self, port: int) -> str:
        """Return the URL of the server, which listens at `port`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.has_tls else 'http'}://{host}:{port}{self.root_path}/"


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address; a name is resolved by nobody, so only `localhost` is."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
