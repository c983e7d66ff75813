"""Answers of NCBI's locator about a run, in the form of its real answers."""

import hashlib
from collections.abc import Iterable
from typing import Any


def file_entry(run: str, data: bytes, urls: Iterable[str], md5: str | None = None) -> dict[str, Any]:
    """Return the entry of a normalized archive that can be fetched at some URLs; `md5` is computed if not given."""
    places = [{"service": "s3", "region": "us-east-1", "link": url} for url in urls]
    md5 = hashlib.md5(data).hexdigest() if md5 is None else md5
    return {
        "object": f"srapub|{run}", "accession": run, "type": "sra", "name": run, "noqual": False, "size": len(data),
        "md5": md5, "modificationDate": "2020-01-01T00:00:00Z", "locations": places,
    }  # fmt: skip


def run_entry(run: str, *files: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of a run with its archives."""
    return {"bundle": run, "status": 200, "msg": "ok", "files": list(files)}


def error_entry(run: str, status: int, message: str) -> dict[str, Any]:
    """Return the entry of a run of which there is no archive."""
    return {"bundle": run, "status": status, "msg": message}


def answer(*runs: dict[str, Any]) -> dict[str, Any]:
    """Return a whole answer."""
    return {"version": "2", "result": list(runs)}
