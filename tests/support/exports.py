"""Runs `wort export` in this process, and reads what it wrote."""

import csv
import sys
import zipfile
from pathlib import Path
from typing import Any

import sourmash
from sourmash import SourmashSignature
from sourmash.manifest import BaseCollectionManifest

from wort_cli import cli
from wort_cli.model.accession import Accession
from wort_cli.stores.local import LocalStore

NUMBER = 6
RUNS = [f"SRR{n}" for n in range(1_000_000, 1_000_000 + NUMBER)]
UNAVAILABLE, QUEUED, UNKNOWN = "SRR2000001", "SRR2000002", "SRR2000003"
PROFILE = "sra-v1"


def export(*words: str, code: int = 0) -> None:
    """Run `wort export`."""
    assert cli.run(["export", *words]) == code


def missing(path: str = "x.missing.csv") -> list[dict[str, str]]:
    """Return the rows of a table of what is missing."""
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def loaded(path: str) -> list[SourmashSignature]:
    """Return the signatures of a collection, as sourmash loads them."""
    return list(sourmash.load_file_as_signatures(path))


def sketches_in(path: str) -> set[tuple[str, int, str]]:
    """Return name, k and md5 of each sketch of a collection."""
    return {(one.name, one.minhash.ksize, one.md5sum()) for one in loaded(path)}


def file_of(home: Path, run: str) -> Path:
    """Return the file of a run in the store of a home."""
    return LocalStore(home / "signatures").path(Accession(run))


def stored_sketches(home: Path, *runs: str) -> set[tuple[str, int, str]]:
    """Return name, k and md5 of each sketch of some runs in the store."""
    return {found for run in runs for found in sketches_in(str(file_of(home, run)))}


def manifest_of(path: str) -> list[dict[str, Any]]:
    """Return the manifest of a collection, as sourmash reads it; `manifest.csv` is written."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read("SOURMASH-MANIFEST.csv").decode()
    Path("manifest.csv").write_text(text, newline="")
    rows = BaseCollectionManifest.load_from_filename("manifest.csv").rows
    return [{key: row[key] for key in BaseCollectionManifest.required_keys} for row in rows]


def sourmash_command() -> str:
    """Return the path of the program."""
    return str(Path(sys.executable).with_name("sourmash"))
