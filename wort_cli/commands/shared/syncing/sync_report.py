"""Reports the progress of a sync: a line per signature on stdout, a live count and a summary on stderr."""

import sys
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import typer

from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import Document, Record
from wort_cli.commands.shared.showing.printing import NOTHING, Form, lines_of
from wort_cli.errors import ExitCode, WortError


class SyncReport:
    """Writes a record for each signature that was changed or is wrong, and counts the others.

    A record of `document` has the keys `name`, `state`, `message` and `path`.  `verb` names the lines in the summary.
    With `lines_are_errors`, as in `wort sync check`, every line is a difference, and the caller calls `exit_if_failed`;
    otherwise the end of the context does.
    """

    def __init__(
        self,
        document: Document,
        verb: str,
        total: int | None,
        form: Form,
        *,
        header: bool = True,
        head: Record = NOTHING,
        lines_are_errors: bool = False,
    ) -> None:
        self._verb = verb
        self._form = form
        self._lines_of = lines_of(document, form, header=header, head=head)
        self._stack = ExitStack()
        self._lines_are_errors = lines_are_errors
        self._lines = self._in_sync = self._failed = 0
        self._bar = progress_bar(total) if render.is_terminal(sys.stderr) else None

    def __enter__(self) -> Self:
        self._write = self._stack.enter_context(self._lines_of)
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._stack.close()
        sys.stdout.flush()
        failed = f", {self._failed:,} failed" if self._failed else ""
        render.notice(f"{self._lines - self._failed:,} {self._verb}, {self._in_sync:,} in sync{failed}")
        if kind is None and not self._lines_are_errors:
            self.exit_if_failed()

    def exit_if_failed(self) -> None:
        """Exit with code 1 if anything failed or differs."""
        if self._failed or (self._lines_are_errors and self._lines):
            raise typer.Exit(int(ExitCode.SOME_FAILED))

    def add(self, name: str, state: str, detail: str = "", *, path: str = "", failed: bool = False) -> None:
        """Write the record of a signature."""
        self._lines += 1
        self._failed += failed
        self._write({"name": str(name), "state": str(state), "message": detail or None, "path": path or None})
        self._advance()

    def add_outcome(self, name: str, outcome: object, done: str = "", *, path: str = "") -> None:
        """Write the record of a signature: `done`, or the error if the outcome is one."""
        if isinstance(outcome, WortError):
            hint = f" ({outcome.hint})" if outcome.hint else ""
            self.add(name, "failed", f"{outcome.sentence}{hint}", path=path, failed=True)
        else:
            self.add(name, done, path=path)

    def add_in_sync(self) -> None:
        """Count a signature that is the same on both sides."""
        self._in_sync += 1
        self._advance()

    def _advance(self) -> None:
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], advance=1)


def progress_bar(total: int | None) -> Any:
    """Return a progress bar on stderr; it pulses if the total is unknown."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    bar = Progress(
        BarColumn(24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=render.is_terminal(),  # rich would write the results of a pipe to stderr
    )
    bar.add_task("", total=total)
    return bar
