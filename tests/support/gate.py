"""A fastq-dump that a test can hold halfway through its output."""

import contextlib
import os

from tests.support.homes import FASTQ_DUMP, Home
from tests.support.polling import until
from tests.support.processes import Process


class Gate:
    """A fastq-dump that stops once, in the midst of its stream, until the gate is opened.

    The real decoder runs behind it; as nobody reads on, it is blocked with most of its reads still to be written.
    Every later call goes straight through.
    """

    FIRST = 20_000
    """Bytes that pass at once."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._used, self._reached, self._fifo = (home.root / name for name in ("used", "reached", "fifo"))
        os.mkfifo(self._fifo)
        # `mkdir` tells whose turn is the first.  The pipeline has the exit code of the real one.
        self.env = home.with_tool(
            "fastq-dump",
            f"""
case " $* " in *" --fasta "*) ;; *) exec {FASTQ_DUMP} "$@" ;; esac
mkdir {self._used} 2>/dev/null || exec {FASTQ_DUMP} "$@"
set -o pipefail
{FASTQ_DUMP} "$@" | {{ head -c {self.FIRST}; : > {self._reached}; read -r _ < {self._fifo}; cat; }}
""",
        )
        # A signal in the midst of an import leaves the file open that was being read.
        self.env["PYTHONWARNINGS"] = "error,ignore::ResourceWarning"

    def until_reached(self) -> Process:
        """The real decoder, once it is blocked in the midst of its stream."""
        until(self._reached.exists, "the decoder is in the midst of its stream")
        return until(self._home.decoders, "the decoder runs")[0]

    def open(self) -> None:
        """Let the rest pass; in vain if nobody stands at the gate any more."""
        with contextlib.suppress(OSError):  # ENXIO: nobody reads
            file = os.open(self._fifo, os.O_WRONLY | os.O_NONBLOCK)
            os.write(file, b"go\n")
            os.close(file)
