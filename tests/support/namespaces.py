"""Runs wort in a mount namespace, where a test can mount small or read-only disks."""

import os
from pathlib import Path

from tests.support.homes import Done, Home


def in_namespace(home: Home, script: str, *arguments: str | Path) -> Done:
    """Run a bash script in a new mount namespace, with the wort command as its "$@"."""
    unshare = ("unshare", "-m") if os.geteuid() == 0 else ("unshare", "-rm")
    whole = f'set -e\nhome={home.path}\nmkdir -p "$home"\n{script}'
    return home(*arguments, before=(*unshare, "bash", "-c", whole, "bash"))


FILL = 'fill() { cat /dev/zero > "$1/fill" 2>/dev/null || true; }\n'
