"""The check of `wort doctor` for a queue whose workers are on other hosts."""

from collections.abc import Iterator

from wort_cli.commands.shared.checking.finding import Finding
from wort_cli.errors import WortError
from wort_cli.model.queue_address import LOCAL
from wort_cli.settings import Settings


def check_queue(settings: Settings) -> Iterator[Finding]:
    """Check that the server of the queue can be used, and is configured as it should be."""
    if settings.queue == LOCAL:
        return
    from wort_cli.daemon.remote.remote_queue import RemoteQueue

    try:
        queue = RemoteQueue.of(settings)
        warnings = queue.check()
        pending, protection = queue.pending(), queue.protection()
        queue.close()
    except WortError as error:
        yield Finding("problem", "queue", error.sentence, error.hint)
        return
    yield from (Finding("warning", "queue", warning, "see docs/workers.md") for warning in warnings)
    yield Finding("ok", "queue", f"{queue.where} ({protection}), {pending} orders that no worker has taken")
