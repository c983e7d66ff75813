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
