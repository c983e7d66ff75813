"""A home with a signature of each database, for tests of the interface of the earlier service.

The signatures are imported, so that no archive has to be decoded for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.homes import Home
from tests.support.submissions import document, text
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.accession import Accession, AssemblyAccession
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobRequest, Source
from wort_cli.model.job_result import JobResult
from wort_cli.model.profile import SRA_V1
from wort_cli.web.access_file import DEFAULT_RIGHTS, AccessFile, Right

RUN, LONG_RUN, GENOME, TAXON = "SRR000001", "SRR154610281", "GCA_000005845.2", "2522125045"
TITLE = f"{GENOME} Escherichia coli str. K-12 substr. MG1655 strain=K-12 substr. MG1655, ASM584v2"
SERVED = {"sra": RUN, "genomes": GENOME, "img": TAXON}
GONE_RUN, GONE_GENOME = "SRR000009", "GCA_000005845.1"
USER, PASSWORD = "ann", "correct horse"
CONTENT = {
    name: text(document(title, seed=seed))
    for seed, (name, title) in enumerate(((RUN, RUN), (LONG_RUN, LONG_RUN), (GENOME, TITLE), (TAXON, TAXON)))
}
"""The JSON of each signature that the home has."""


class ContractHome(Home):
    """The home; `lab` is the secret of a token that may compute and submit, `expired` that of one that has expired."""

    lab: str
    expired: str

    def fill(self) -> None:
        """Import the signatures; record what is unavailable; make the tokens and the user."""
        files = []
        for name, content in CONTENT.items():
            files.append(f"{name}.sig")
            (self.cwd / files[-1]).write_bytes(content)
        self("import", *files).expect(0)
        ledger = Ledger(self.path / "ledger.db")
        gone = (Accession(GONE_RUN), AssemblyAccession(GONE_GENOME))
        for answer in ledger.jobs.enqueue([JobRequest(Source(name), SRA_V1.name) for name in gone]):
            assert answer.job_id is not None
            job = ledger.attempts.claim(answer.job_id, "me", 3600)
            assert job is not None
            failure = Failure(Reason.NOT_FOUND, "nobody has it")
            ledger.attempts.finish(JobResult(job.id, job.attempt, failure=failure), RetryPolicy())
        ledger.close()
        access = AccessFile(self.path / "access.json")
        self.lab = access.add("lab", DEFAULT_RIGHTS)
        self.expired = access.add("old", (Right.COMPUTE,), -1.0)
        access.set_password(USER, PASSWORD, DEFAULT_RIGHTS)


@contextmanager
def contract_home(root: Path) -> Iterator[ContractHome]:
    """Make such a home; end it."""
    home = ContractHome(root)
    home.fill()
    yield home
    home.end()
