"""Forges signatures: valid documents, with recomputed md5s, that are not the signature of their run."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.support.archives import DECODE, SKETCH, sourmash
from tests.support.submissions import MAX_HASH, md5_of, text

Document = Any


def sketch_archive(
    archive: Path, name: str, *, without: Sequence[str] = (), spots: int = 0, scaled: int = 1000
) -> bytes:
    """Run the recipe on an archive: `without` some flags, on the first `spots` only, or with another `scaled`."""
    decode = [word for word in DECODE if word not in without] + (["-X", str(spots)] if spots else [])
    sketch = [word.replace("scaled=1000", f"scaled={scaled}") for word in SKETCH]
    with tempfile.TemporaryDirectory() as empty:
        out = Path(empty, "out.sig")
        with subprocess.Popen(
            [*decode, archive.resolve()], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=empty
        ) as decoder:
            subprocess.run(
                [sourmash(), *sketch, "--name", name, "-o", out, "-"],
                stdin=decoder.stdout, capture_output=True, check=True, cwd=empty,
            )  # fmt: skip
        assert decoder.returncode == 0
        return out.read_bytes()


def forge(signature: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return a signature after `change` of each sketch."""
    document: Document = json.loads(signature)
    for sketch in document[0]["signatures"]:
        change(sketch)
        sketch["md5sum"] = md5_of(sketch["ksize"], sketch["mins"])
    return text(document)


def remove_one(sketch: dict[str, Any]) -> None:
    """Remove a hash from the sketch of k=31."""
    if sketch["ksize"] == 31:
        del sketch["mins"][7], sketch["abundances"][7]


def add_one(sketch: dict[str, Any]) -> None:
    """Add a hash to the sketch of k=31."""
    if sketch["ksize"] == 31:
        sketch["mins"].insert(8, sketch["mins"][7] + 1)
        sketch["abundances"].insert(8, 3)


def change_one(sketch: dict[str, Any]) -> None:
    """Change a hash in the sketch of k=31."""
    if sketch["ksize"] == 31:
        sketch["mins"][7] += 1


def change_an_abundance(sketch: dict[str, Any]) -> None:
    """Change an abundance in the sketch of k=31."""
    if sketch["ksize"] == 31:
        sketch["abundances"][7] += 1


def multiply(factor: int) -> Callable[[dict[str, Any]], None]:
    """Return a change that multiplies all abundances."""

    def change(sketch: dict[str, Any]) -> None:
        sketch["abundances"] = [factor * abundance for abundance in sketch["abundances"]]

    return change


def relabel(sketch: dict[str, Any]) -> None:
    """Label a sketch of any scaled as scaled=1000."""
    sketch["max_hash"] = MAX_HASH
