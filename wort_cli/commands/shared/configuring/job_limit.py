"""The number of jobs at a time that a user has set with `wort daemon jobs`."""

from wort_cli.errors import WortError
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings


def job_limit_set(settings: Settings) -> int | None:
    """Return the number of jobs at a time; None if the setting `jobs` counts, or if the ledger cannot be read."""
    if not settings.ledger_file.exists():
        return None
    ledger = Ledger(settings.ledger_file)
    try:
        return ledger.controls.job_limit(settings.jobs) if ledger.controls.has_job_limit else None
    except WortError:  # `wort doctor` reports it
        return None
    finally:
        ledger.close()
