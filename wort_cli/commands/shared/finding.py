"""A result of `wort doctor`."""

from dataclasses import dataclass

STATES = ("ok", "warning", "problem", "repaired")


@dataclass(frozen=True)
class Finding:
    """The result of one check; `state` is ok, warning, problem or repaired."""

    state: str
    what: str
    """The tool, directory or record that was checked."""
    detail: str
    fix: str = ""
    """How the user can fix a warning or a problem."""

    def to_json(self) -> dict[str, str | None]:
        """Return the finding as `wort doctor --json` prints it."""
        return {"state": self.state, "what": self.what, "message": self.detail or None, "fix": self.fix or None}
