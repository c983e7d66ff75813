"""Compares the bytes of a signature with what the catalog recorded, whenever they are used."""

import hashlib
from typing import IO

from wort_cli.model.provenance import ESTABLISHED, Recorded
from wort_cli.reading.facts import SignatureFacts
from wort_cli.reading.limits import ReadLimits
from wort_cli.reading.refusal import Refusal
from wort_cli.reading.signatures import read_facts

BLOCK = 1 << 20


def sha256_of(file: IO[bytes]) -> str:
    """Return the sha256 of an open file, in hexadecimal; the file is then at its start."""
    file.seek(0)
    total = hashlib.sha256()
    while block := file.read(BLOCK):
        total.update(block)
    file.seek(0)
    return total.hexdigest()


def is_recorded_file(file: IO[bytes], name: str, recorded: Recorded, limits: ReadLimits) -> bool:
    """Return whether an open file of the local store is the recorded signature; the file is then at its start.

    If an earlier version recorded it, without a checksum, its content is compared.
    """
    if recorded.sha256:
        return sha256_of(file) == recorded.sha256
    try:
        facts = read_facts(file, limits)
    except Refusal:
        return False
    finally:
        file.seek(0)
    return facts.name == name and facts.digest == recorded.digest


def is_recorded_content(facts: SignatureFacts, sha256: str, recorded: Recorded) -> bool:
    """Return whether a signature from elsewhere, which has the right name, is the recorded one.

    Others may have packed it in another way.  What replaces a file of ours must not add a filename to it.
    """
    if recorded.sha256 == sha256:
        return True
    return facts.digest == recorded.digest and not (facts.filename and recorded.trust in ESTABLISHED)
