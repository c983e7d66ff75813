"""A refusal: why a signature is not accepted, where the fault is, and how to make a valid signature."""

from wort_cli.errors import ExitCode, WortError, shown


class Refusal(Exception):
    """The first fault of a signature; `where` is its place in the document."""

    def __init__(self, why: str, where: str = "", hint: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.where = where
        self.hint = hint


class LimitExceeded(Refusal):
    """A signature that may be valid, but that cannot be read within the limits."""


class SubmissionRefused(WortError):
    """A signature that is not accepted; nothing of it was stored."""

    exit_code = ExitCode.NOT_A_SIGNATURE

    def __init__(self, origin: str, refusal: Refusal) -> None:
        where = f" ({refusal.where})" if refusal.where else ""
        super().__init__(f"{shown(origin, 200)} is refused: {refusal.why}{where}", refusal.hint)
        self.refusal = refusal
