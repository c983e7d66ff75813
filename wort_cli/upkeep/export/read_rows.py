"""Reads the sketches of a signature that the catalog does not know yet, and records them."""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import IO

from wort_cli.errors import StorageProblem
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.sketches import Entry
from wort_cli.model.profile import PROFILES, Profile
from wort_cli.model.provenance import ESTABLISHED, Trust
from wort_cli.model.sketch_row import MOST, SketchRow
from wort_cli.reading.facts import SignatureFacts, SketchFacts
from wort_cli.reading.limits import ReadLimits
from wort_cli.reading.refusal import Refusal
from wort_cli.reading.signatures import parse_facts, read_facts
from wort_cli.reading.strict import NO_LIMIT
from wort_cli.stores.recorded import sha256_of


def read_entry(entry: Entry, file: IO[bytes], limits: ReadLimits, profile: Profile | None = None) -> Entry | None:
    """Return an entry with its sketches and its checksum, read from its open file; None if that has other content."""
    sha256 = sha256_of(file)
    if entry.sha256 not in ("", sha256):
        return None
    own = bool(entry.sha256) and entry.trust in (*ESTABLISHED, Trust.UNPROVED)
    try:
        facts = parse_facts(file, NO_LIMIT) if own else read_facts(file, limits)
    except Refusal:
        return None
    if (facts.name, facts.digest) != (entry.name, entry.digest):
        return None
    rows = tuple(row_of(facts, sketch, profile or PROFILES.get(entry.profile)) for sketch in facts.sketches)
    return replace(entry, sha256=sha256, size=os.fstat(file.fileno()).st_size, sketches=rows)


def row_of(facts: SignatureFacts, sketch: SketchFacts, profile: Profile | None) -> SketchRow:
    """Return the row of a sketch; whether an empty one has abundances, its profile says."""
    known = sketch.statistics
    has_abundance = sketch.abundance_sum > 0
    if not known["hashes"]:
        has_abundance = profile is not None and profile.abundance
    total = sketch.abundance_sum if has_abundance and sketch.abundance_sum <= MOST else None
    return SketchRow(
        *(known["md5"], known["k"], known["molecule"], known["num"], known["scaled"], known["hashes"]),
        *(has_abundance, total, facts.filename, facts.title),
    )


def record_rows(ledger: Ledger, entries: Sequence[Entry]) -> None:
    """Record the sketches of signatures that were read, unless the ledger cannot be written or has others now."""
    if not entries:
        return
    with contextlib.suppress(StorageProblem), ledger.transaction():
        for entry in entries:
            now = ledger.catalog.checksum(entry.name, entry.profile)
            if now == entry.sha256:
                ledger.catalog.sketches.add(entry.name, entry.profile, entry.sketches)
