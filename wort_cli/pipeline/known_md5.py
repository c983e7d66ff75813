"""Proves an archive on disk that has no md5 sums of its own, by the md5 that NCBI's locator has of it."""

from dataclasses import replace

from wort_cli.model.accession import Accession
from wort_cli.pipeline.archives.columns import FASTQ_DUMP
from wort_cli.pipeline.archives.http import HttpClient, HttpError
from wort_cli.pipeline.archives.locate import TOOLKIT, Archive
from wort_cli.pipeline.archives.obtain import ProvedBy
from wort_cli.pipeline.archives.offer import ask_locator
from wort_cli.pipeline.archives.prove import VDB_VALIDATE, ArchiveProof, Origin, listed_md5
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.download import politeness_of, timeouts_of, wish_of


def prove_by_locator(attempt: Attempt, archive: Archive, proof: ArchiveProof) -> ArchiveProof:
    """Return the proof by the locator's md5 of an archive that only vdb-validate has checked, else `proof`.

    The locator is not asked about other archives, nor with `download = toolkit`.  If it does not answer, or has another
    archive of the run, the archive stays unproved: it may be an older one.
    """
    spec, name = attempt.spec, attempt.spec.source.name
    is_bare = proof.proved_by == VDB_VALIDATE and archive.path is not None and archive.fetched is None
    if not is_bare or not isinstance(name, Accession) or spec.download.download == TOOLKIT:
        return proof
    wish = wish_of(spec, name, FASTQ_DUMP)
    if archive.path is None or not wish.locator_url:
        return proof
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
