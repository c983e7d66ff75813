"""wort as a library: computes, finds and reads signatures from Python.

    import wort_cli.api as wort

    with wort.open_home() as home:
        answers = home.compute("SRR139146", "SRR139147", group="soil")
        for job in home.wait(answers):
            print(job.name, job.state, job.reason)
        signature = home.signature("SRR139146", k=31)  # a sourmash.SourmashSignature

The functions neither print nor exit.  They raise WortError, which has a sentence, a hint and the exit code that the
command would have had.  The commands use the same functions.

- `home.py`: a home, and what can be asked of it
- `enqueueing.py`: enqueues many requests
- `waiting.py`: waits for jobs, or runs them in this process
- `signature_finder.py`: opens signatures of the local store and of the bucket
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wort_cli.api.home import Home, open_home
    from wort_cli.api.waiting import TimedOut
    from wort_cli.errors import WortError
    from wort_cli.ledger.catalog import ListedSignature
    from wort_cli.ledger.jobs import Enqueued, EnqueueStatus
    from wort_cli.model.job import Job, JobState
    from wort_cli.model.provenance import Trust

__all__ = [
    "EnqueueStatus",
    "Enqueued",
    "Home",
    "Job",
    "JobState",
    "ListedSignature",
    "TimedOut",
    "Trust",
    "WortError",
    "open_home",
]
PLACES = {
    "Home": "wort_cli.api.home",
    "open_home": "wort_cli.api.home",
    "TimedOut": "wort_cli.api.waiting",
    "WortError": "wort_cli.errors",
    "ListedSignature": "wort_cli.ledger.catalog",
    "Enqueued": "wort_cli.ledger.jobs",
    "EnqueueStatus": "wort_cli.ledger.jobs",
    "Job": "wort_cli.model.job",
    "JobState": "wort_cli.model.job",
    "Trust": "wort_cli.model.provenance",
}
"""The module of each name, which is imported when the name is used: commands import modules of this package, and start
without the others."""


def __getattr__(name: str) -> Any:
    """Return a name of the module that has it (PEP 562)."""
    if name in PLACES:
        return getattr(import_module(PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
