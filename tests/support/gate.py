"""A fastq-dump that a test can hold halfway through its output."""

import contextlib
import os

from tests.support.homes import FASTQ_DUMP, Home
from tests.support.polling import until
from tests.support.processes import Process


class Gate:
    """A fastq-dump whose first run stops halfway through its output, until the gate is opened.

    The real decoder runs behind it, blocked on a full pipe.  Later runs are not stopped.
    """

    FIRST = 20_000
    """Bytes that pass before the gate."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._used, self._reached, self._fifo = (home.root / name for name in ("used", "reached", "fifo"))
        os.mkfifo(self._fifo)
        # Only the first `mkdir` succeeds.  With pipefail, the exit code is that of the real decoder.  The FIFO is open
        # before the test sees that the gate was reached: otherwise it might find no reader, and never open the gate.
        self.env = home.with_tool(
            "fastq-dump",
            f"""
case " $* " in *" --fasta "*) ;; *) exec {FASTQ_DUMP} "$@" ;; esac
mkdir {self._used} 2>/dev/null || exec {FASTQ_DUMP} "$@"
set -o pipefail
{FASTQ_DUMP} "$@" | {{
    head -c {self.FIRST}
    exec 3<> {self._fifo}
    : > {self._reached}
    read -r _ <&3
    exec 3>&-
    cat
}}
""",
        )
        # A signal during an import leaves a file open.
        self.env["PYTHONWARNINGS"] = "error,ignore::ResourceWarning"

    def until_reached(self) -> Process:
        """Wait until the real decoder is blocked; return it."""
        until(self._reached.exists, "the decoder is blocked")
        return until(self._home.decoders, "the decoder runs")[0]

    def open(self) -> None:
        """Let the rest pass; does nothing if the decoder is gone."""
        with contextlib.suppress(OSError):  # ENXIO: no reader
            file = os.open(self._fifo, os.O_WRONLY | os.O_NONBLOCK)
            os.write(file, b"go\n")
            os.close(file)
