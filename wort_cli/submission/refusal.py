"""Why what was handed in is not taken: what is wrong, where, and how to make a right one."""

from wort_cli.errors import ExitCode, WortError, shown


class Refusal(Exception):
    """The first thing that is wrong with a signature; `where` leads to it."""

    def __init__(self, why: str, where: str = "", hint: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.where = where
        self.hint = hint


class SubmissionRefused(WortError):
    """A signature that is not taken; nothing of it was kept."""

    exit_code = ExitCode.NOT_A_SIGNATURE

    def __init__(self, what: str, refusal: Refusal) -> None:
        where = f" ({refusal.where})" if refusal.where else ""
        super().__init__(f"{shown(what, 200)} is refused: {refusal.why}{where}", refusal.hint)
        self.refusal = refusal
