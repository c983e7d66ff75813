"""Writes many small signatures into a local store, with random hashes."""

import hashlib
import json
from pathlib import Path

import numpy as np

from tests.support.builders import MAX_HASH, provenance
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession
from wort_cli.model.job_result import Published
from wort_cli.model.provenance import SketchSummary
from wort_cli.model.signature_file import Sketch, digest
from wort_cli.pipeline.seal import write_signature
from wort_cli.stores.local import LocalStore

HASHES = 100


def make_signatures(root: Path, number: int, first: int = 1_000_000) -> list[str]:
    """Write the signatures of `number` runs, with provenance, into the local store at `root`; return the names."""
    store = LocalStore(root)
    names = [Accession(f"SRR{n}") for n in range(first, first + number)]
    for seed, name in enumerate(names):
        sketches = [random_sketch(ksize, seed) for ksize in (21, 31, 51)]
        summaries = tuple(SketchSummary(s.ksize, len(s.hashes), len(s.hashes), s.md5sum()) for s in sketches)
        made = provenance(name, digest=digest(sketches), sketches=summaries)
        store.path(name).parent.mkdir(parents=True, exist_ok=True)
        store.provenance_path(name).write_text(json.dumps(made.to_json(), indent=1) + "\n")
        with store.path(name).open("wb") as file:
            write_signature(name, sketches, file)
    return [str(name) for name in names]


def make_recorded_signatures(home: Path, number: int, first: int = 1_000_000) -> list[str]:
    """Write signatures into the local store of a home, with entries in its catalog, as if they were computed there."""
    store, ledger = LocalStore(home / "signatures"), Ledger(home / "ledger.db")
    names = make_signatures(store.root, number, first)
    with ledger.storage.transaction():
        for name in map(Accession, names):
            content = store.path(name).read_bytes()
            sha256 = hashlib.sha256(content).hexdigest()
            ledger.catalog.record(Published(store.key(name), len(content), store.provenance(name), sha256=sha256))
    ledger.close()
    return names


def random_sketch(ksize: int, seed: int) -> Sketch:
    """Return a sketch with the parameters of the profile sra-v1."""
    random = np.random.default_rng((seed, ksize))
    hashes = np.unique(random.integers(1, MAX_HASH, HASHES, dtype=np.uint64))
    return Sketch(ksize, 42, MAX_HASH, hashes, np.ones(len(hashes), np.uint64))
