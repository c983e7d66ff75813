"""What becomes of many signatures: a line for each as it is known, a live count for a terminal, a sum at the end."""

import json
import sys
from types import TracebackType
from typing import Any, Self

import typer

from wort_cli.commands.shared import render
from wort_cli.errors import ExitCode, WortError


class Tally:
    """Lines on stdout, the count on stderr; `bad` says that each line tells of something wrong."""

    def __init__(self, verb: str, total: int | None, *, as_json: bool, bad: bool = False) -> None:
        self._verb = verb
        self._as_json = as_json
        self._bad = bad
        self._told = self._skipped = self._failed = 0
        self._bar = bar(total) if render.to_terminal(sys.stderr) else None

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        sys.stdout.flush()
        failed = f", {self._failed:,} failed" if self._failed else ""
        render.say(f"{self._told - self._failed:,} {self._verb}, {self._skipped:,} are in order{failed}")
        if kind is None and not self._bad:
            self.end()

    def end(self) -> None:
        """Exit with code 1 if anything was wrong."""
        if self._failed or (self._bad and self._told):
            raise typer.Exit(int(ExitCode.SOME_FAILED))

    def tell(self, name: str, state: str, detail: str = "", *, bad: bool = False) -> None:
        """A line of the result."""
        self._told += 1
        self._failed += bad
        record = {"name": str(name), "state": str(state), "detail": detail}
        if self._as_json:
            render.result(json.dumps(record))
        else:
            render.result("\t".join(render.printable(value) for value in record.values()).rstrip("\t"))
        self._advance()

    def tell_outcome(self, name: str, outcome: object, done: str = "") -> None:
        """A line for what was done, or why it was not."""
        if isinstance(outcome, WortError):
            self.tell(name, "failed", f"{outcome.sentence} ({outcome.hint})", bad=True)
        else:
            self.tell(name, done)

    def skip(self) -> None:
        """One more that is as it should be."""
        self._skipped += 1
        self._advance()

    def _advance(self) -> None:
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], advance=1)


def bar(total: int | None) -> Any:
    """A bar on stderr, without an end while nobody knows how many there are."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    made = Progress(
        BarColumn(24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=render.to_terminal(),  # else results would go where the bar goes
    )
    made.add_task("", total=total)
    return made
