"""A refusal: why a signature is not accepted, where the fault is, and how to make a valid signature."""

from wort_cli.errors import ExitCode, WortError, shown
from wort_cli.reading.checks import Check


class Refusal(Exception):
    """The first fault of a signature; `where` is its place in the document, `check` is what failed."""

    default = Check.UNPACKED

    def __init__(self, why: str, where: str = "", hint: str = "", check: Check | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.where = where
        self.hint = hint
        self.check = check or self.default


class LimitExceeded(Refusal):
    """A signature that may be valid, but that cannot be read within the limits."""

    default = Check.LIMITS


class SubmissionRefused(WortError):
    """A signature that is not accepted; nothing of it was stored."""

    exit_code = ExitCode.NOT_A_SIGNATURE

    def __init__(self, origin: str, refusal: Refusal) -> None:
        where = f" ({refusal.where})" if refusal.where else ""
        super().__init__(f"{shown(origin, 200)} is refused: {refusal.why}{where}", refusal.hint)
        self.refusal = refusal
