"""Ends the processes of a job when the worker dies, even by SIGKILL.  A script of its own, on the standard library.

The guard leads the process group that all tools of a job are in, and reads a pipe whose only other end the worker
holds.  However the worker ends, the kernel closes that end; then the guard kills its group, itself included.

There is one for each job, so that it must start quickly: `signal` and `os` are wrapped around these two modules, which
are built in, and take half of the time to import.
"""

import _signal  # type: ignore[import-not-found]
import posix

if __name__ == "__main__":
    # Signals for the job are the worker's to handle; the guard goes when the pipe closes.
    for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP):
        _signal.signal(number, _signal.SIG_IGN)
    while posix.read(0, 1):
        pass
    posix.killpg(0, _signal.SIGKILL)
