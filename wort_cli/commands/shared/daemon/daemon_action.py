"""Prints what a command of `wort daemon` has done: a sentence, or the state afterwards as JSON."""

from pathlib import Path

from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import COUNT, PATH, PID, TEXT, Document, Field, list_of, one_of
from wort_cli.commands.shared.showing.printing import print_document
from wort_cli.health.status import STATES, read_status
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings

FIELDS = (
    Field("state", one_of(STATES), "The state of the daemon now"),
    Field("pid", PID, "Its process; null if it does not run", optional=True),
    Field("url", PATH, "The URL of its HTTP server; null if none runs", optional=True),
    Field("jobs", COUNT, "How many jobs may run at a time", optional=True),
    Field("paused_groups", list_of(TEXT), "Groups of which no job starts"),
    Field("path", PATH, "The file that was written or removed", optional=True),
    Field("message", TEXT, "What was done, as a sentence; its wording may change"),
)
DOCUMENTS = {
    name: Document(f"daemon {name}", about, head=FIELDS)
    for name, about in {
        "start": "The daemon that was started, or that was running already.",
        "stop": "The state after the daemon was stopped.",
        "restart": "The daemon that was started.",
        "reload": "The daemon that reloads its settings.",
        "pause": "The state after the queue, or a group, was paused.",
        "resume": "The state after the queue, or a group, was resumed.",
        "jobs": "The number of jobs at a time.",
        "install": "The systemd user unit that was written.",
        "uninstall": "The systemd user unit that was removed.",
    }.items()
}


def print_action(command: str, sentence: str, settings: Settings, *, as_json: bool, path: Path | None = None) -> None:
    """Print what a command of `wort daemon` has done."""
    if not as_json:
        render.result(sentence)
        return
    ledger = Ledger(settings.ledger_file, reading=True)
    found = read_status(settings, ledger)
    ledger.close()
    print_document(
        DOCUMENTS[command],
        {
            "state": found.state,
            "pid": found.daemon.pid if found.daemon else None,
            "url": (found.health.server_url or None) if found.health else None,
            "jobs": found.queue.jobs if found.queue else None,
            "paused_groups": list(found.queue.paused_groups) if found.queue else [],
            "path": str(path) if path else None,
            "message": sentence,
        },
    )
