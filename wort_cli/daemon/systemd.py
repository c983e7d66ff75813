"""Installs systemd user units that start the daemon or the HTTP server at login or boot, and again after a crash."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from wort_cli.errors import StorageProblem, WortError
from wort_cli.system.atomic_files import write_atomically
from wort_cli.system.environment import NETWORK, child_environment


@dataclass(frozen=True)
class Unit:
    """A unit: its file, what it is, and the command that it runs."""

    file: str
    description: str
    words: tuple[str, ...]
    more: str = ""
    """Lines of its section [Service]."""

    @property
    def path(self) -> Path:
        """Where systemd looks for the user's unit (systemd.unit(5))."""
        return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user" / self.file


DAEMON = Unit(
    "wort.service",
    "wort: computes signatures of sequencing runs",
    ("daemon", "start", "--foreground", "--quiet"),
    "RestartSec=5\nTimeoutStopSec=30\n",
)
SERVER = Unit(
    "wort-serve.service",
    "wort: serves signatures over HTTP",
    ("serve",),
    "ExecReload=/bin/kill -HUP $MAINPID\nRestartSec=2\nTimeoutStopSec=15\nNoNewPrivileges=yes\nOOMScoreAdjust=500\n",
)
PASSED_VARIABLES = frozenset({"PATH", "TMPDIR", "LANG", "TZ", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", *NETWORK})
PASSED_PREFIXES = ("WORT_", "XDG_", "VDB_", "NCBI_", "SRATOOLS_", "AWS_")
"""Variables that the unit copies, because systemd starts it without the user's environment.

The URL of a proxy with a user and a password is not copied.
"""
SESSION_VARIABLES = ("XDG_RUNTIME_DIR", "XDG_SESSION_", "XDG_SEAT", "XDG_VTNR", "XDG_CURRENT_DESKTOP")
"""Variables of a login, which the unit must not have."""
SECRETS = ("ACCESS_KEY", "SECRET", "SESSION_TOKEN", "SECURITY_TOKEN", "AUTHORIZATION_TOKEN", "PASSWORD")
"""Parts of the names of variables that are not copied, because a unit can be read by others."""


def unit_text(unit: Unit = DAEMON) -> str:
    """Return a unit for this installation and environment."""
    settings = "".join(
        f'Environment="{key}={quoted(value)}"\n' for key, value in sorted(os.environ.items()) if is_passed(key, value)
    )
    return f"""[Unit]
Description={unit.description}

[Service]
ExecStart={quoted(sys.executable)} -m wort_cli {" ".join(unit.words)}
{settings}Restart=on-failure
{unit.more}
[Install]
WantedBy=default.target
"""


def is_passed(name: str, value: str) -> bool:
    """Return whether the unit gets a variable."""
    if not value or name.startswith(SESSION_VARIABLES):
        return False
    if any(part in name for part in SECRETS) or (name in NETWORK and "@" in value):
        return False
    return name in PASSED_VARIABLES or name.startswith(PASSED_PREFIXES)


def quoted(text: str) -> str:
    """Escape text for a unit, where % starts a specifier; WortError if it has a character that would end the value."""
    if any(c in text for c in '\n"\\'):
        raise WortError(f"{text!r} cannot be written into a systemd unit")
    return text.replace("%", "%%")


def install(unit: Unit = DAEMON) -> tuple[Path, str]:
    """Write a unit and start it; return its path, and an instruction if systemctl failed (else '')."""
    path = unit.path
    try:
        write_atomically(path, unit_text(unit).encode())
    except OSError as error:
        raise StorageProblem(f"{path} cannot be written: {error.strerror}", "check its permissions") from error
    return path, systemctl("daemon-reload") or systemctl("enable", "--now", unit.file)


def uninstall(unit: Unit = DAEMON) -> tuple[Path, str]:
    """Stop a unit and remove it; return its path, and an instruction if systemctl failed (else '')."""
    path = unit.path
    if not path.exists():
        raise WortError(f"{path} does not exist", "no unit is installed")
    failure = systemctl("disable", "--now", unit.file)
    path.unlink()
    return path, failure or systemctl("daemon-reload")


def systemctl(*arguments: str) -> str:
    """Run systemctl for this user; return '' if it succeeded, else a sentence with the command."""
    command = f"systemctl --user {' '.join(arguments)}"
    if shutil.which("systemctl") is None:
        return f"systemctl was not found; on a machine with systemd run `{command}`"
    done = subprocess.run(
        ["systemctl", "--user", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=child_environment(("DBUS_", "XDG_")),
    )
    return "" if done.returncode == 0 else f"`{command}` failed: {done.stderr.strip()}"
