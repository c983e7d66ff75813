"""The page that says what a signature and each level of trust is."""

from dataclasses import asdict, dataclass
from typing import Any

from wort_cli import __version__
from wort_cli.web.pages.words import PROMISES


@dataclass(frozen=True)
class AboutPage:
    """The page that describes the server."""

    version: str = __version__

    def document(self) -> dict[str, Any]:
        """Return what the page shows as JSON has it."""
        levels = {str(level): asdict(words) for level, words in PROMISES.items()}
        return {"version": self.version, "levels_of_trust": levels}
