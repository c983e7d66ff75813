"""Takes a signature that somebody else made, and requests its verification."""

from collections.abc import Callable

from wort_cli.api.verifications import verify_request
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.profile import SRA_V1, Profile
from wort_cli.model.provenance import Trust
from wort_cli.model.submission import Submission
from wort_cli.model.verdict import Depth
from wort_cli.reading.checks import Check
from wort_cli.settings import Settings
from wort_cli.submission.intake import Claims, submit_signature


def submit_and_verify(
    origin: str,
    claims: Claims,
    ledger: Ledger,
    settings: Settings,
    *,
    profile: Profile = SRA_V1,
    verify: bool = True,
    priority: int = 0,
    group: str = "",
    shown_as: str = "",
    report: Callable[[Check], None] = lambda check: None,
) -> tuple[Submission, int | None]:
    """Check and store a signature; return its submission, and the job that verifies it.

    There is no job if nothing is left to verify, or if the data are not those of a run.  Raises as `submit_signature`.
    """
    submission = submit_signature(origin, claims, settings, ledger, profile, shown_as, report)
    if not verify or not submission.is_of_a_run or submission.trust in (Trust.VERIFIED, Trust.MISMATCH):
        return submission, None
    request = verify_request(submission, Depth.FULL, settings, priority=priority, group=group)
    [job] = ledger.submissions.enqueue_verifications([request])
    return submission, job
