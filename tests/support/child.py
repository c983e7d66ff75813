"""A process that answers questions, and is replaced if it crashes or hangs."""

import contextlib
import ctypes
import faulthandler
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

MEMORY = 6 << 30
"""Bytes of address space of a child, so that a damaged archive cannot take all memory."""
PR_SET_PDEATHSIG = 1


class ChildDied(Exception):
    """The child crashed, or hung and was killed."""

    def __init__(self, how: str) -> None:
        self.how = how
        super().__init__(how)


class Child:
    """Calls a function in a child process.  A context manager that ends the child."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def another(self) -> "Child":
        """Return one that calls the same function in a new process."""
        return Child(self._function)

    def ask(self, question: Any, timeout: float) -> Any:
        """Return the function's answer.  Raises ChildDied if the child crashes or does not answer in time."""
        if self._process is None or self._pipe is None:
            context = multiprocessing.get_context("fork")  # the child has all modules already
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=answer_all, args=(self._function, theirs, self._pipe), daemon=True)
            self._process.start()
            theirs.close()
        try:
            self._pipe.send(question)
            if not self._pipe.poll(timeout):
                raise ChildDied(f"no answer within {timeout:g} s")
            return self._pipe.recv()
        except (EOFError, OSError):
            self._process.join(timeout)
            code = self._process.exitcode
            how = signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
            raise ChildDied(how) from None
        except ChildDied:
            self._end()
            raise
        finally:
            if self._process is not None and not self._process.is_alive():
                self._end()

    def _end(self) -> None:
        process, pipe, self._process, self._pipe = self._process, self._pipe, None, None
        if pipe is not None:
            pipe.close()
        if process is not None:
            process.kill()
            process.join()


def answer_all(function: Callable[[Any], Any], pipe: Connection, other_end: Connection) -> None:
    """Answer questions until the other end of the pipe is closed."""
    other_end.close()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    faulthandler.disable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the library writes warnings
    with contextlib.suppress(EOFError):
        while True:
            pipe.send(function(pipe.recv()))
