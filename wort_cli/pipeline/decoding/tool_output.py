"""The output of a running tool of the toolkit, read while it is written."""

import contextlib
import fcntl
import select
import time
from collections.abc import Iterator, Sequence

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.toolkit.tools import LOG_INFO, TICK, ToolGroup
from wort_cli.system.cancellation import Cancellation

CHUNK = 1 << 20
"""Bytes that are read from the pipe at a time, at most."""


class ToolOutput:
    """Starts a tool that reads an archive, which is a file or is fetched by the tool itself.

    The job fails if the tool writes nothing for `stall_timeout` seconds: with `timeout` if the archive is on disk, else
    with `network`.
    """

    def __init__(self, tools: ToolGroup, argv: Sequence[str], stall_timeout: float, *, on_disk: bool) -> None:
        self.name = argv[0]
        self._tools = tools
        self._stall_timeout = stall_timeout
        self._stall_reason = Reason.TIMEOUT if on_disk else Reason.NETWORK
        self._tool = tools.start((argv[0], *(() if on_disk else LOG_INFO), *argv[1:]), offline=on_disk)

    @property
    def stderr(self) -> str:
        """The stderr of the tool; complete once `wait` has returned."""
        return self._tool.stderr

    def chunks(self, cancellation: Cancellation) -> Iterator[bytes]:
        """Yield the output in pieces of up to 1 MiB, until the tool closes it.

        Raises Cancelled; JobFailed if nothing arrives in time, or if a server asked for fewer requests (rate-limited).
        """
        stream = self._tool.stdout
        with contextlib.suppress(OSError):  # a larger pipe means fewer switches; an unprivileged user has a limit
            fcntl.fcntl(stream, fcntl.F_SETPIPE_SZ, CHUNK)
        poll = select.poll()
        poll.register(stream, select.POLLIN)
        last_data = time.monotonic()
        while True:
            self._tool.check_rate_limit()
            if poll.poll(TICK * 1000):
                data = stream.raw.read(CHUNK) if hasattr(stream, "raw") else stream.read(CHUNK)
                last_data = time.monotonic()
                if not data:
                    return
                yield data
            elif time.monotonic() - last_data > self._stall_timeout:
                raise JobFailed(self._stall_reason, f"{self.name} wrote nothing for {self._stall_timeout:g} seconds")
            cancellation.check()

    def wait(self, cancellation: Cancellation) -> int:
        """Return the exit code of the tool, whose output was read.  Raises JobFailed if it does not end in time."""
        try:
            code = self._tool.wait(cancellation, time.monotonic() + self._stall_timeout)
        except TimeoutError:
            why = f"{self.name} closed its output and did not exit within {self._stall_timeout:g} seconds"
            raise JobFailed(self._stall_reason, why) from None
        self._tools.log(f"exit {code}\n{self.stderr}".rstrip())
        return code
