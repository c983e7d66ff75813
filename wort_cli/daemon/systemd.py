"""Installs a systemd user unit that starts the daemon at login or boot, and restarts it after a crash."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from wort_cli.errors import StorageProblem, WortError
from wort_cli.system.atomic_files import write_atomically
from wort_cli.system.environment import NETWORK, child_environment

UNIT = "wort.service"
PASSED_VARIABLES = (
    "WORT_HOME", "VDB_CONFIG", "NCBI_SETTINGS", "PATH", "AWS_PROFILE", "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE",
)  # fmt: skip
"""Variables that the unit copies, because systemd starts it without the user's environment.  None holds a secret.

It also copies those of the network (proxies, certificates), except the URL of a proxy with a user and a password.
"""


def unit_path() -> Path:
    """Return where systemd looks for the user's unit (systemd.unit(5))."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user" / UNIT


def unit_text() -> str:
    """Return the unit for this installation and environment."""
    network = [key for key in sorted(NETWORK) if "@" not in os.environ.get(key, "")]
    settings = "".join(
        f'Environment="{key}={quoted(os.environ[key])}"\n'
        for key in (*PASSED_VARIABLES, *network)
        if os.environ.get(key)
    )
    return f"""[Unit]
Description=wort: computes signatures of sequencing runs

[Service]
ExecStart={quoted(sys.executable)} -m wort_cli daemon start --foreground --quiet
{settings}Restart=on-failure
RestartSec=5
TimeoutStopSec=30

[Install]
WantedBy=default.target
"""


def quoted(text: str) -> str:
    """Escape text for a unit, where % starts a specifier; WortError if it has a character that would end the value."""
    if any(c in text for c in '\n"\\'):
        raise WortError(f"{text!r} cannot be written into a systemd unit")
    return text.replace("%", "%%")


def install() -> tuple[Path, str]:
    """Write the unit and start it; return its path, and an instruction if systemctl failed (else '')."""
    path = unit_path()
    try:
        write_atomically(path, unit_text().encode())
    except OSError as error:
        raise StorageProblem(f"{path} cannot be written: {error.strerror}", "check its permissions") from error
    return path, systemctl("daemon-reload") or systemctl("enable", "--now", UNIT)


def uninstall() -> tuple[Path, str]:
    """Stop the unit and remove it; return its path, and an instruction if systemctl failed (else '')."""
    path = unit_path()
    if not path.exists():
        raise WortError(f"{path} does not exist", "no unit is installed")
    failure = systemctl("disable", "--now", UNIT)
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
