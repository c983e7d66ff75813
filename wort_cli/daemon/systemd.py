"""A systemd user unit, so that the daemon runs from boot on and is started again if it ends."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from wort_cli.errors import StorageProblem, WortError
from wort_cli.system.atomic_files import write_atomically

UNIT = "wort.service"
PASSED_ON = (
    "WORT_HOME", "VDB_CONFIG", "NCBI_SETTINGS", "PATH", "AWS_PROFILE", "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE",
)  # fmt: skip
"""Variables that decide where things are; a unit starts without the user's environment.  Never a secret."""


def unit_path() -> Path:
    """Where systemd looks for a user's units (systemd.unit(5))."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user" / UNIT


def unit_text() -> str:
    """The unit for this installation and environment."""
    settings = "".join(f'Environment="{key}={quoted(os.environ[key])}"\n' for key in PASSED_ON if os.environ.get(key))
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
    """Text for a unit: % begins a specifier there, and a line feed or quote would end the value."""
    if any(c in text for c in '\n"\\'):
        raise WortError(f"{text!r} can't be written into a systemd unit")
    return text.replace("%", "%%")


def install() -> tuple[Path, str]:
    """Write the unit and start it; return its path and what is still to be done, '' if nothing."""
    path = unit_path()
    try:
        write_atomically(path, unit_text().encode())
    except OSError as error:
        raise StorageProblem(f"{path} can't be written: {error.strerror}", "check its permissions") from error
    return path, systemctl("daemon-reload") or systemctl("enable", "--now", UNIT)


def uninstall() -> tuple[Path, str]:
    """Stop the unit and remove it; return its path and what is still to be done, '' if nothing."""
    path = unit_path()
    if not path.exists():
        raise WortError(f"{path} is not there", "nothing is installed")
    trouble = systemctl("disable", "--now", UNIT)
    path.unlink()
    return path, trouble or systemctl("daemon-reload")


def systemctl(*arguments: str) -> str:
    """Run systemctl for this user; '' if that worked, else what to type when it does."""
    command = f"systemctl --user {' '.join(arguments)}"
    if shutil.which("systemctl") is None:
        return f"there is no systemctl here; on a machine with systemd run `{command}`"
    done = subprocess.run(["systemctl", "--user", *arguments], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"`{command}` failed: {done.stderr.strip()}"
