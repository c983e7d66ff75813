"""Runs a program in namespaces of its own, so that none of its processes outlives it.

The program is not the first process of its process namespace but a child of it; when the first one ends, the kernel
kills all others.  It ends with the program, and is killed when the process that waits for it ends, however that ends.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

CONTAINED = "WORT_TEST_CONTAINED"
PR_SET_CHILD_SUBREAPER = 36
NETWORK = "mount -t tmpfs tmpfs /run && ip link set lo up && "


def is_contained() -> bool:
    """Return whether this process runs in namespaces of its own."""
    return CONTAINED in os.environ


def run_contained(module: str, arguments: Sequence[str], scratch: Path, *, network: bool = False) -> int:
    """Run `python -m MODULE`, with `scratch` for temporary files, until it ends; return its exit code.

    With `network` it is root in a network and a `/run` of its own.  SIGTERM and SIGINT of this process end it.
    """
    scratch.chmod(0o711)  # the user of PostgreSQL enters it
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError("this process cannot adopt processes")
    signal.signal(signal.SIGTERM, end)
    with subprocess.Popen(
        [*namespaces(network=network), sys.executable, "-m", module, *arguments],
        stdin=subprocess.DEVNULL,
        env={**os.environ, CONTAINED: "yes", "TMPDIR": str(scratch)},
        start_new_session=True,  # Ctrl-C is for this process only, which kills all of them at once
    ) as process:
        try:
            return process.wait()
        finally:
            process.kill()
            process.wait()
            wait_for_adopted()


def namespaces(*, network: bool) -> tuple[str, ...]:
    """Return the words that run a command in new namespaces."""
    user = () if os.geteuid() == 0 else ("--map-root-user",) if network else ("--map-current-user",)
    kinds = ("--mount", "--pid", *(("--net",) if network else ()))
    script = f'{NETWORK if network else ""}"$@"; exit $?'  # not the last command, so that bash stays and reaps
    inside = ("bash", "-c", script, "bash")
    unshare = ("unshare", *user, *kinds, "--fork", "--kill-child", "--mount-proc")
    return ("setpriv", "--pdeathsig", "KILL", *unshare, *inside)


def wait_for_adopted() -> None:
    """Wait for the first process of a killed namespace, which ends after all others there."""
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        return


def end(number: int, _: FrameType | None) -> NoReturn:
    """End this process in order."""
    sys.exit(128 + number)
