"""`wort fetch`: fetches and proves archives of runs without sketching them, for machines without a network."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wort_cli.commands.shared.arguments.options import (
    FromFileOption,
    JsonOption,
    NoHeaderOption,
    RunsArgument,
    SkipInvalidOption,
    StrictOption,
)
from wort_cli.commands.shared.arguments.sources import parse_accessions
from wort_cli.commands.shared.jobs import outcome
from wort_cli.commands.shared.jobs.job_record import REASON
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import (
    BOOLEAN,
    BYTES,
    ID,
    MESSAGE,
    PATH,
    PATH_FIELD,
    TEXT,
    Document,
    Field,
    one_of,
)
from wort_cli.commands.shared.showing.printing import Form, print_records
from wort_cli.commands.shared.showing.progress_display import Display, make_display
from wort_cli.errors import UsageError, shown
from wort_cli.model.accession import Accession
from wort_cli.model.archive_format import Format
from wort_cli.model.failure import Disposition, Failure, JobFailed, Reason
from wort_cli.model.job import JobState, Progress
from wort_cli.settings import Settings, load_settings
from wort_cli.system.private_files import make_shared
from wort_cli.system.termination import terminated_by_signals

if TYPE_CHECKING:
    from wort_cli.pipeline.archives.fetched_file import FetchedFile
    from wort_cli.pipeline.fetch_run import Fetcher

DOCUMENT = Document(
    "fetch",
    "The archives that were fetched.",
    rows="archives",
    row=(
        Field("name", ID, "The run"),
        Field("state", one_of(("fetched", "already there", "not fetched", "unavailable", "failed")), "The result"),
        Field("format", one_of(Format), "The format of the archive", optional=True),
        Field("fetched", BYTES, "What is on disk of the archive", optional=True),
        Field("archive_size", BYTES, "The size of the archive", optional=True, title="archive"),
        REASON,
        MESSAGE,
        PATH_FIELD,
        Field("proved_by", TEXT, "What proved the archive undamaged", optional=True),
        Field("identified", BOOLEAN, "Whether the locator confirmed that it is the archive of the run"),
        Field("url", PATH, "The URL that it was fetched from", optional=True),
    ),
    columns=("name", "state", "format", "fetched", "archive_size", "reason", "path"),
)
STATES = {
    Disposition.UNAVAILABLE: JobState.UNAVAILABLE,
    Disposition.RETRY: JobState.WAITING,
    Disposition.FAILED: JobState.FAILED,
}
"""The state that decides the exit code, as for jobs, by the disposition of the failure."""
AGAIN = "run the same command again; it continues where it stopped"
"""The hint for failures that pass."""
RATE_LIMITED_ATTEMPTS = 3


@dataclass(frozen=True)
class ShownFetch:
    """A fetch as the progress bars show it."""

    id: int
    name: Accession
    state: JobState = JobState.RUNNING
    reason: Reason | None = None
    progress: Progress | None = None


@dataclass(frozen=True)
class FetchResult:
    """The result of fetching a run: a file or a failure."""

    run: Accession
    file: "FetchedFile | None" = None
    failure: Failure | None = None

    @property
    def state(self) -> JobState:
        """The state that a job with this result would have."""
        return STATES[self.failure.disposition] if self.failure else JobState.DONE

    @property
    def reason(self) -> Reason | None:
        """Why there is no file."""
        return self.failure.reason if self.failure else None

    def record(self) -> dict[str, Any]:
        """Return the result with the keys of DOCUMENT."""
        file = self.file
        state = str(self.state) if self.state is not JobState.WAITING else "not fetched"
        return {
            "name": str(self.run),
            "state": ("fetched" if file.is_new else "already there") if file else state,
            "format": str(file.format) if file else None,
            "fetched": file.present if file else None,
            "archive_size": file.size if file else None,
            "reason": str(self.reason) if self.reason else None,
            "message": (self.failure.detail or None) if self.failure else None,
            "path": str(file.path) if file else None,
            "proved_by": file.proved_by if file else None,
            "identified": file.identified if file else False,
            "url": (file.url or None) if file else None,
        }

    def explanation(self) -> str:
        """Return why there is no file, and what to do about it."""
        if self.failure is None:
            return ""
        reason = self.failure.reason
        hint = AGAIN if self.state is JobState.WAITING else reason.hint
        detail = f" ({render.printable(self.failure.detail)})" if self.failure.detail else ""
        return f"{reason}: {reason.sentence}{detail}\n  {hint}"


def fetch(
    ids: RunsArgument = None,
    from_file: FromFileOption = None,
    skip_invalid: SkipInvalidOption = False,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="Write to DIR/ACC/ (default: here).", show_default=False),
    ] = Path(),
    whole: Annotated[
        bool, typer.Option("--whole", help="Fetch whole archives, which every tool can read, not only columns.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Say on stderr what is asked, fetched and compared.")
    ] = False,
    strict: StrictOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Fetch and prove the archives of runs; compute nothing.

    By default, only the columns are fetched that a signature needs. Machines without a network find the archives if DIR
    is in the setting `archives`.

    \b
    Examples:
      wort fetch SRR139146 -o /data/sra
      wort fetch --from-file runs.txt -o /data/sra
      WORT_ARCHIVES=/data/sra wort compute SRR139146 --now
    """
    skipped: list[str] = []
    runs = parse_accessions(ids or [], from_file, skipped.append if skip_invalid else None, render.notice)
    outcome.explain_skipped(skipped)
    settings = load_settings()
    settings.make_directories()
    directory = output.absolute()
    check_directory(directory)
    results = fetch_all(runs, settings, directory, whole=whole, verbose=verbose)
    records = [result.record() for result in results]
    print_records(DOCUMENT, records, Form.of(as_json=as_json), header=not no_header)
    explain(results)
    code = outcome.exit_code((result.state for result in results), strict=strict)
    outcome.exit_unless_ok(outcome.with_skipped(code, skipped))


def check_directory(directory: Path) -> None:
    """Raise UsageError unless archives can be written to a directory; one that does not exist is made."""
    try:
        make_shared(directory)
    except FileExistsError:
        raise UsageError(f"-o: {shown(str(directory), 200)} is not a directory") from None
    except OSError as error:
        raise UsageError(f"-o {shown(str(directory), 200)}: {error.strerror}") from error
    if not os.access(directory, os.W_OK):
        raise UsageError(f"-o: {shown(str(directory), 200)} can't be written", "check its permissions")


def fetch_all(
    runs: Sequence[Accession], settings: Settings, directory: Path, *, whole: bool, verbose: bool
) -> list[FetchResult]:
    """Fetch the archives of runs one after the other, and show the progress; return how each ended."""
    from wort_cli.pipeline.fetch_run import Fetcher

    results: list[FetchResult] = []
    try:
        with (
            terminated_by_signals(),
            Fetcher(settings, directory, whole=whole) as fetcher,
            make_display(len(runs), "runs") as display,
        ):
            for number, run in enumerate(runs):
                fetch = Fetch(number, run, fetcher, display, ended=len(results), verbose=verbose)
                results.append(fetch.run_to_end(settings.request_pause))
    except KeyboardInterrupt:
        render.notice(f"{len(results)} of {len(runs)} were fetched; {AGAIN}")
        raise
    return results


class Fetch:
    """The fetch of one run, shown while it runs."""

    def __init__(
        self, number: int, run: Accession, fetcher: "Fetcher", display: Display, *, ended: int, verbose: bool
    ) -> None:
        self._shown = ShownFetch(number, run)
        self._fetcher = fetcher
        self._display = display
        self._ended = ended
        self._verbose = verbose

    def run_to_end(self, pause: float) -> FetchResult:
        """Fetch the archive; return how that ended.  A server that asks for fewer requests gets a pause of seconds."""
        for attempt in range(1, RATE_LIMITED_ATTEMPTS + 1):
            result = self._run()
            if result.failure is None or result.failure.reason is not Reason.RATE_LIMITED:
                break
            if attempt < RATE_LIMITED_ATTEMPTS:
                self._report("waiting", 0, 0)
                time.sleep(pause)
        self._display.update([replace(self._shown, state=result.state, reason=result.reason)], self._ended + 1)
        return result

    def _run(self) -> FetchResult:
        run = self._shown.name
        try:
            return FetchResult(run, self._fetcher.fetch(run, self._report, self._log))
        except JobFailed as error:
            return FetchResult(run, failure=error.failure)

    def _report(self, stage: str, done: int, total: int) -> None:
        progress = Progress(stage, done, total, 0, time.time())
        self._display.update([replace(self._shown, progress=progress)], self._ended)

    def _log(self, text: str) -> None:
        if self._verbose:
            render.notice(render.printable(text))


def explain(results: Sequence[FetchResult], most: int = 20) -> None:
    """Write to stderr why archives were not fetched, and what to do about it."""
    failed = [result for result in results if result.failure is not None]
    for result in failed[:most]:
        render.notice(f"{result.run}: {result.explanation()}")
    if len(failed) > most:
        render.notice(f"and {len(failed) - most:,} more")
