"""Writes the words that shells complete: `make docs` (wort_cli/commands/shared/help/completion_words.json)."""

import json
import sys
from typing import Any

from scripts.reference import all_commands
from scripts.setting_docs import setting_docs
from wort_cli.commands.shared.help.completion import SCRIPTS
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.model.profile import PROFILES
from wort_cli.model.provenance import Trust
from wort_cli.setting_fields import ENGINES

KINDS = {
    "--group": "group",
    "--state": "state",
    "--reason": "reason",
    "--profile": "profile",
    "--trust": "trust",
    "--engine": "engine",
}
"""The kind of the values of each option."""
ARGUMENTS = {
    "ID": "id",
    "JOB": "id",
    "PATTERN": "signature",
    "SETTING": "setting",
    "SHELL": "shell",
    "COMMAND": "command",
}
"""The kind of the values of an argument, by the word of its metavar."""


def words() -> dict[str, Any]:
    """Return the commands with their options and arguments, and the values that do not depend on a ledger."""
    commands = {}
    everything = all_commands()
    for path, command, _ in everything:
        options: dict[str, str] = {"--help": "", "-h": ""}
        arguments = []
        for parameter in command.params:
            if parameter.param_type_name == "argument":
                pieces = (parameter.metavar or "").split("|")
                arguments += [ARGUMENTS[piece] for piece in pieces if piece in ARGUMENTS]
                continue
            takes_none = parameter.is_flag or parameter.count
            kind = next((KINDS[option] for option in parameter.opts if option in KINDS), "value")
            options |= dict.fromkeys([*parameter.opts, *parameter.secondary_opts], "" if takes_none else kind)
        below = [other[-1] for other, *_ in everything if other[:-1] == path]
        name = " ".join(path[1:])
        commands[name] = {"options": options, "arguments": list(dict.fromkeys(arguments)), "commands": below}
    values = {
        "state": list(JobState),
        "reason": list(Reason),
        "profile": list(PROFILES),
        "trust": list(Trust),
        "engine": list(ENGINES),
        "shell": list(SCRIPTS),
        "setting": [item.name for item in setting_docs()],
        "command": commands[""]["commands"],
    }
    return {"commands": commands, "values": values}


if __name__ == "__main__":
    json.dump(words(), sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")
