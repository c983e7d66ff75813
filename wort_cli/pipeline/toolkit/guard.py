"""Kills the tools of an attempt when its worker dies, even by SIGKILL.  A separate script, not imported by wort.

The guard is the leader of the process group of all tools.  It reads from a pipe whose write end only the worker holds.
When the worker ends for any reason, the kernel closes that end, and the guard kills its group, including itself.

Every attempt starts a guard, so its start-up time matters: importing `signal` and `os` instead of the built-in modules
that they wrap would double it.
"""

import _signal  # type: ignore[import-not-found]
import posix

if __name__ == "__main__":
    # The worker handles these signals; the guard ends only when the pipe is closed.
    for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP):
        _signal.signal(number, _signal.SIG_IGN)
    while posix.read(0, 1):
        pass
    posix.killpg(0, _signal.SIGKILL)
