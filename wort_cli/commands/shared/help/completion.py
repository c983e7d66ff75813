"""Completes a command line for a shell.  No command is imported, so that the answer comes at once.

The commands and their options are in completion_words.json, which `make docs` writes from the commands themselves.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from wort_cli.errors import WortError

WORDS = Path(__file__).with_name("completion_words.json")
SCRIPTS = {
    "bash": """\
_wort() {
    local IFS=$'\\n'
    COMPREPLY=($(wort _complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o bashdefault -o default -F _wort wort
""",
    "zsh": """\
#compdef wort
_wort() {
    local -a found
    found=(${(f)"$(wort _complete "${(@)words[2,CURRENT]}" 2>/dev/null)"})
    if (( $#found )); then compadd -a found; else _files; fi
}
if [ "$funcstack[1]" = "_wort" ]; then _wort "$@"; else compdef _wort wort; fi
""",
    "fish": """\
function __wort_offers
    set -l found (wort _complete (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c wort -f -a '(__wort_offers)'
""",
}
"""The script of each shell; it passes the words to the hidden command `_complete`; the last is to be completed."""
FROM_LEDGER = frozenset({"id", "signature", "group", "profile"})


def offers(words: Sequence[str]) -> list[str]:
    """Return what the last of some words may become; empty for the names of files."""
    *before, last = words or [""]
    tree = json.loads(WORDS.read_text(encoding="utf-8"))
    command, waiting = tree["commands"][""], ""
    path: list[str] = []
    for word in before:
        if waiting:
            waiting = ""
        elif word.startswith("-"):
            waiting = command["options"].get(word, "")
        elif (name := " ".join([*path, word])) in tree["commands"]:
            command, path = tree["commands"][name], [*path, word]
        elif command["commands"]:  # there is no such command
            return []
    if waiting:
        return list(values_of(waiting, last, tree))
    if last.startswith("-"):
        return sorted(option for option in command["options"] if option.startswith(last))
    found = [name for name in command["commands"] if name.startswith(last)]
    return found or [value for kind in command["arguments"] for value in values_of(kind, last, tree)]


def values_of(kind: str, prefix: str, tree: dict[str, Any]) -> Iterator[str]:
    """Yield the values of a kind that start with a prefix."""
    fixed = tree["values"].get(kind, ())
    yield from (value for value in fixed if value.startswith(prefix))
    if kind not in FROM_LEDGER:
        return
    from wort_cli.ledger.completion import names
    from wort_cli.settings import load_usable_settings

    try:
        settings, _ = load_usable_settings()
    except WortError:
        return
    yield from (name for name in names(settings.ledger_file, kind, prefix) if name.isprintable() and name not in fixed)
