"""The golden files: what every command prints, in terminals of 80 and 120 columns, in colour, and in a pipe.

`make golden` writes them to tests/data/golden: a file for each command.  Look at the difference as a user would.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.batches import write_golden_files
from tests.support.showcase import (
    ALSO_DONE,
    BUCKET_ONLY,
    DONE,
    FAILED,
    NOT_SERVED,
    PROJECT,
    QUEUED,
    READS,
    RUNNING,
    SERVED,
    SHEET,
    SUBMITTED,
    UNAVAILABLE,
    Showcase,
    showcase,
)

DIRECTORY = Path(__file__).parents[1] / "data" / "golden"
FORMS: Mapping[str, dict[str, Any]] = {
    "80 columns, NO_COLOR": {"width": 80},
    "120 columns, NO_COLOR": {"width": 120},
    "80 columns, in colour": {"width": 80, "colour": True},
    "120 columns, in colour": {"width": 120, "colour": True},
    "pipe": {"width": 0},
}
COMMANDS: Mapping[str, list[tuple[str, ...]]] = {
    "status": [
        ("status",),
        ("status", "--all"),
        ("status", "-g", "soil"),
        ("status", "-g", "soil", "--metadata"),
        ("status", FAILED),
        ("status", "--missing-from", "wanted.txt"),
    ],
    "export": [
        ("export", "-g", "soil", "-o", "soil.sig.zip"),
        ("export", DONE, "-n", "-o", "soil.sig.zip"),
        ("export", DONE),
    ],
    "catalog": [("catalog", "-o", "all.csv"), ("catalog", "-o", "all.csv"), ("catalog",)],
    "merge": [("merge", "-g", "soil"), ("merge",)],
    "ls": [("ls",), ("ls", "--paths")],
    "view": [("view", DONE), ("view", DONE, "--provenance", "--no-hist"), ("view", DONE, ALSO_DONE)],
    "logs": [("logs", FAILED), ("logs", FAILED, "--all"), ("logs", "--daemon")],
    "wait": [("wait", DONE), ("wait", FAILED), ("wait", RUNNING)],
    "compute": [
        ("compute", DONE, QUEUED[0], "SRR000041"),
        ("compute", DONE, UNAVAILABLE, "SRR000042", "-n"),
        ("compute", PROJECT, "-g", "gut", "-n"),
        ("compute", PROJECT, "-g", "gut", "--limit", "2"),
        ("compute", *READS[:2], "--name", "lake", "-n"),
        ("compute", "--samples", SHEET),
        ("compute", "SRR1"),
    ],
    "follow": [
        ("follow", PROJECT, "-g", "gut"),
        ("follow", "ls"),
        ("follow", "run", PROJECT, "-n"),
        ("follow", "rm", "1"),
        ("follow", "SRR1"),
    ],
    "runs": [("runs", PROJECT), ("runs", "SRR1")],
    "plan": [("plan", PROJECT, "--tasks", "2"), ("plan", PROJECT, "--tasks", "2"), ("plan", DONE)],
    "batch": [
        ("batch", "slurm", PROJECT, "--tasks", "2", "--store", "file:///shared/wort"),
        ("batch", "slurm", PROJECT, "--tasks", "2", "--store", "file:///shared/wort"),
        ("batch", "hyperqueue", PROJECT, "--tasks", "2", "-o", "hq"),
        ("batch", "sge", DONE, "--tasks", "2", "-o", "sge"),
    ],
    "verify": [("verify", DONE)],
    "submit": [("submit", f"{SUBMITTED}.sig", "--no-verify")],
    "cancel": [("cancel", QUEUED[1]), ("cancel", DONE)],
    "retry": [("retry", FAILED), ("retry", DONE)],
    "rm": [("rm", DONE, "--dry-run"), ("rm", ALSO_DONE)],
    "forget": [("forget", "--state", "done", "--dry-run")],
    "import": [("import", ".", "--dry-run")],
    "backup": [("backup", "copy.db", "--force")],
    "profile": [
        ("profile", "ls"),
        ("profile", "show", "sra-v1"),
        ("profile", "add", "fine", "-k", "31", "--scaled", "100", "-n"),
        ("profile", "show", "none"),
    ],
    "config": [
        ("config", "show"),
        ("config", "show", "jobs", "archives"),
        ("config", "path"),
        ("config", "set", "lease", "90"),
        ("config", "set", "lease", "--unset"),
        ("config", "set", "jbos", "4"),
    ],
    "sync": [
        ("sync", "ls"),
        ("sync", "push", "--dry-run"),
        ("sync", "pull", "--dry-run"),
        ("sync", "check"),
        ("sync", "pull", BUCKET_ONLY),
    ],
    "token": [("token", "list"), ("token", "revoke", "soil"), ("token", "add", "soil", "--may", "all")],
    "serve": [
        ("serve", "--host", "0.0.0.0"),
        ("serve", "--host", "0.0.0.0", "--behind-proxy"),
        ("serve", "--root-path", "wort"),
    ],
    "metadata": [("metadata", "import", "runs.csv"), ("metadata", "import", "wanted.txt")],
    "daemon": [
        ("daemon", "status"),
        ("daemon", "pause"),
        ("daemon", "resume"),
        ("daemon", "pause", "-g", "soil"),
        ("daemon", "jobs", "3"),
        ("daemon", "stop"),
        ("daemon", "reload"),
    ],
    "worker": [
        ("worker",),
        ("worker", "--queue", "mysql://db/wort"),
        ("worker", "--queue", "redis://:secret@db/0"),
        ("worker", "list"),
        ("worker", "drain", "node7"),
    ],
    "doctor": [
        ("doctor", "--run", SERVED),
        ("config", "set", "archives", "/mnt/none"),
        ("doctor", "--run", NOT_SERVED),
    ],
    "fetch": [("fetch", SERVED, NOT_SERVED, "-o", "sra"), ("fetch", SERVED, "-o", "sra")],
    "completion": [("completion", "bash"), ("completion", "zsh"), ("completion", "fish"), ("completion", "csh")],
    "help": [("help",), ("help", "ls"), ("help", "daemon"), ("daemon", "jobs", "-h"), ("help", "compuet")],
}
"""The command lines of each file.  In each form, they run in a home of their own, one after the other."""


def golden_text(home: Showcase, name: str) -> str:
    """Return the text of a golden file."""
    return "\n".join(section(home, name, title, **form) for title, form in FORMS.items())


def section(home: Showcase, name: str, title: str, *, width: int, colour: bool = False) -> str:
    """Return what the command lines of a file print in one form."""
    home.reset()
    parts = [f"{'=' * 8} {title}\n"]
    for words in COMMANDS[name]:
        printed = home.run(*words, width=width, colour=colour)
        parts.append(f"$ wort {' '.join(words)}\n{printed}" + (f"exit {home.code}\n" if home.code else ""))
    return "\n".join(parts)


def main() -> None:
    """Write all golden files."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for path in DIRECTORY.glob("*.txt"):
        path.unlink()
    with showcase() as home:
        for name in COMMANDS:
            (DIRECTORY / f"{name}.txt").write_text(golden_text(home, name), encoding="utf-8")
    write_golden_files()


if __name__ == "__main__":
    main()
