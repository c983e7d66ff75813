"""Writes docs/commands.md from the commands' own help: `make docs`.  A test compares the two."""

import os
import subprocess
import sys

from wort_cli.model.failure import TABLE
from wort_cli.settings import setting_docs

GROUPS = {"sync": ("push", "pull", "check"),
          "daemon": ("start", "stop", "restart", "status", "pause", "resume", "jobs", "install", "uninstall"),
          "config": ("show", "path")}  # fmt: skip
COMMANDS = (
    *("compute", "submit", "verify", "status", "view", "wait", "logs", "cancel", "retry", "sync"),
    *("daemon", "config", "backup", "doctor"),
)
EXIT_CODES = """| code | meaning |
| --- | --- |
| 0 | done, or already there |
| 1 | some of it failed; `wort sync check`: the stores differ; `wort daemon status`: the daemon is unhealthy |
| 2 | what was typed makes no sense; nothing was changed |
| 3 | everything asked for is unavailable for good; `wort daemon status`: the daemon is stopped |
| 4 | the daemon is needed and is not running |
| 5 | a signature is not what it says: verification found a mismatch |
| 6 | the file is not a signature, or is refused as a submission |
| 75 | temporary: try again later |
| 130 | interrupted by Ctrl-C |"""


def help_of(*words: str) -> str:
    """What `wort WORDS --help` prints."""
    shown = subprocess.run(
        [sys.executable, "-m", "wort_cli", *words, "--help"],
        capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "100", "TERMINAL_WIDTH": "100"},
    )  # fmt: skip
    return "\n".join(line.rstrip() for line in shown.stdout.strip().splitlines()).replace("python -m wort_cli", "wort")


def reference() -> str:
    """The whole document."""
    parts = [
        "# Commands\n\nWritten by `make docs` from the commands' own `--help`. stdout is the result, stderr is for the "
        "person: a terminal gets tables and live bars, a pipe tab-separated lines, `--json` one document.",
        f"## wort\n\n```text\n{help_of()}\n```",
    ]
    for command in COMMANDS:
        parts.append(f"## wort {command}\n\n```text\n{help_of(command)}\n```")
        for sub in GROUPS.get(command, ()):
            parts.append(f"### wort {command} {sub}\n\n```text\n{help_of(command, sub)}\n```")
    settings = "\n".join(
        f"| `{doc.name}` | `{doc.variable}` | {doc.default} | {doc.description} |" for doc in setting_docs()
    )
    parts.append(
        "## Settings\n\nA flag comes before the environment, that before `config.toml` (`wort config path`), that "
        "before the default. `WORT_HOME` moves everything below one directory.\n\n"
        f"| setting | variable | default | description |\n| --- | --- | --- | --- |\n{settings}"
    )
    reasons = "\n".join(f"| `{r}` | {kind} | {sentence} | {hint} |" for r, (kind, sentence, hint) in TABLE.items())
    parts.append(
        "## Reasons\n\nWhy a job is where it is. *retry*: it waits and is tried again by itself, a bounded number of "
        "times; *note*: the job is done, and the reason explains an empty sketch.\n\n"
        f"| reason | job becomes | what it says | what to do |\n| --- | --- | --- | --- |\n{reasons}"
    )
    parts.append(f"## Exit codes\n\n{EXIT_CODES}")
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
