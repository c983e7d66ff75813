"""The settings and variables that the daemon works with, compared with those of the user's shell.

The daemon reads them when it starts.  If the shell has others, signatures are looked for or published elsewhere than
the user expects, and nothing fails.  So the daemon writes them to a file, and commands say what differs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wort_cli.model.queue_address import without_password as without_url_password
from wort_cli.settings import Settings
from wort_cli.system.atomic_files import write_atomically
from wort_cli.system.environment import NETWORK

SETTINGS = (
    *(
        "jobs",
        "profile",
        "engine",
        "decoder",
        "quality",
        "download",
        "archives",
        "locator_url",
        "mirrors",
        "accept_unproved",
        "publish_unproved",
    ),
    *("s3_bucket", "s3_prefix", "s3_endpoint", "s3_region", "s3_addressing", "s3_unsigned", "s3_preset"),
    "queue",
    *("s3_encryption", "s3_kms_key", "s3_acl", "s3_requester_pays"),
)
"""The settings that decide what a signature is made from and where it goes."""
VARIABLES = (
    *("VDB_CONFIG", "NCBI_SETTINGS", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"),
    *("AWS_ENDPOINT_URL_S3", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE", *sorted(NETWORK)),
)
"""The variables that do so.  None is a secret, except that the URL of a proxy may have a password."""
MOST = 1_000_000
"""Bytes of the file that are read at most."""


@dataclass(frozen=True)
class Difference:
    """A setting or variable with another value in the daemon than here."""

    name: str
    daemon: str
    here: str

    @property
    def sentence(self) -> str:
        """The difference, as a sentence for the user."""
        return f"{self.name} is {self.daemon or 'not set'} in the daemon, and {self.here or 'not set'} here"


def view_of(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the values that are compared, as text."""
    values = {name: without_url_password(text_of(getattr(settings, name))) for name in SETTINGS}
    return values | {name: without_password(environ.get(name, "")) for name in VARIABLES}


def text_of(value: Any) -> str:
    """Return the value of a setting as text."""
    return ":".join(map(str, value)) if isinstance(value, tuple) else str(value)


def without_password(value: str) -> str:
    """Return the value of a variable, or only that it has a password."""
    return "a URL with a password" if "@" in value else value


def write_view(settings: Settings, environ: Mapping[str, str]) -> None:
    """Write the daemon's values to its file.  Raises OSError."""
    write_atomically(settings.daemon_view_file, json.dumps(view_of(settings, environ), indent=1).encode())


def differences(settings: Settings, environ: Mapping[str, str]) -> list[Difference]:
    """Return what differs between the daemon and here; empty if the daemon wrote nothing that can be read."""
    theirs, ours = read_view(settings.daemon_view_file), view_of(settings, environ)
    found = [(name, theirs.get(name, value), value) for name, value in ours.items()]
    return [Difference(name, before, here) for name, before, here in found if before != here]


def read_view(path: Path) -> dict[str, str]:
    """Return the values in a daemon's file; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(MOST))
    except (OSError, ValueError, RecursionError):
        return {}
    return {str(name): str(value) for name, value in data.items()} if isinstance(data, dict) else {}
