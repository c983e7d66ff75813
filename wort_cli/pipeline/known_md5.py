"""Proves an archive on disk that has no md5 sums of its own, by the md5 that NCBI's locator has of it.

What nothing proves makes no signature: vdb-validate misses damage to metadata, to indexes, and to data without
checksums.  There are two exceptions, both of which a person chooses, and the signature is marked: the setting
`accept_unproved`, and `download = toolkit`, with which the toolkit reads a run or its references from the network.
"""

from dataclasses import replace

from wort_cli.model.accession import Accession
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.archives.columns import FASTQ_DUMP
from wort_cli.pipeline.archives.http import HttpClient, HttpError
from wort_cli.pipeline.archives.locate import TOOLKIT, Archive
from wort_cli.pipeline.archives.obtain import ProvedBy
from wort_cli.pipeline.archives.offer import ask_locator
from wort_cli.pipeline.archives.prove import VDB_VALIDATE, ArchiveProof, Origin, listed_md5
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.download import politeness_of, timeouts_of, wish_of
from wort_cli.pipeline.job_spec import JobSpec


def check_is_accepted(archive: Archive, proof: ArchiveProof, spec: JobSpec) -> None:
    """Raise JobFailed(unprovable) if a signature must not be computed because nothing proves the archive.

    Whether the file is the archive of the run is another question: identity.py.
    """
    accepted = spec.download.accept_unproved or not archive.is_on_disk
    if proof.recorded_as is not ProvedBy.NOTHING or accepted or spec.subject is not None:  # verify.py has its own rule
        return
    if not archive.proves_references:
        what = "the references of its reads have no md5 sums"
    elif asks_locator(spec):
        what = "it has no md5 sums of its columns, and NCBI's locator gave no md5 of it"
    else:
        what = "it has no md5 sums of its columns, and NCBI's locator was not asked for one"
    lasting = not (asks_locator(spec) and archive.proves_references)
    raise JobFailed(Reason.UNPROVABLE, f"nothing proves {archive.path}: {what}", lasting=lasting)


def asks_locator(spec: JobSpec) -> bool:
    """Return whether the locator is asked about an archive on disk: not about one that has a name of its own."""
    download = spec.download
    return isinstance(spec.source.name, Accession) and download.download != TOOLKIT and download.locator_url != "off"


def prove_by_locator(attempt: Attempt, archive: Archive, proof: ArchiveProof) -> ArchiveProof:
    """Return the proof by the locator's md5 of an archive that only vdb-validate has checked, else `proof`.

    The locator is not asked about other archives, nor with `download = toolkit`.  If it does not answer, or has another
    archive of the run, the archive stays unproved: it may be an older one.
    """
    spec, name = attempt.spec, attempt.spec.source.name
    is_bare = proof.proved_by == VDB_VALIDATE and archive.fetched is None
    if not is_bare or archive.path is None or not isinstance(name, Accession) or not asks_locator(spec):
        return proof
    wish = wish_of(spec, name, FASTQ_DUMP)
    try:
        with HttpClient(timeouts_of(spec), 1, politeness_of(spec)) as client:
            files = ask_locator(wish, client, politeness_of(spec), attempt.cancellation)
    except HttpError as error:
        attempt.log(f"no md5 of {name} is known: {error.detail}")
        return proof
    if md5 := listed_md5(files, archive.path, archive.size, attempt.cancellation):
        return replace(proof, proved_by=ProvedBy.ARCHIVE_SUM, proof=md5, origin=Origin(identified=True, md5=md5))
    attempt.log(f"{archive.path} is not the archive that NCBI's locator describes, so nothing proves it")
    return proof
