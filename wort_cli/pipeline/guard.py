"""Ends the processes of a job when the worker dies, even by SIGKILL.  A script of its own, on the standard library.

The guard leads the process group that all tools of a job are in, and reads a pipe whose only other end the worker
holds.  However the worker ends, the kernel closes that end; then the guard kills its group, itself included.
"""

import os
import signal

if __name__ == "__main__":
    # Signals for the job are the worker's to handle; the guard goes when the pipe closes.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)
