"""Batches for tests, and the files that `wort batch` writes for each engine: `make golden` writes them, too."""

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from wort_cli.commands.batch import ENGINES
from wort_cli.commands.shared.batch.request import Batch, Written
from wort_cli.model.s3_target import S3Target

DIRECTORY = Path(__file__).parents[1] / "data" / "batch"
BUCKET = S3Target("wort-sra", "soil/", "https://s3.example.org")
PLAIN = Batch(
    directory=Path("/home/ann/soil"),
    name="soil",
    tasks=8,
    cores=2,
    memory=0,
    seconds=43_200,
    tries=5,
    program="/opt/wort/bin/wort",
    variables={"WORT_S3_BUCKET": "wort-sra", "WORT_S3_PREFIX": "soil/", "WORT_S3_ENDPOINT": "https://s3.example.org"},
    has_config=True,
    store=BUCKET,
    partition="short",
    image="registry.example.org/soil:1",
    base_image="wort",
    role="arn:aws:iam::123456789012:role/wort",
)
FAKE = '#!/bin/bash\n[ "$1" != --version ] || { echo wort 0.1.0; exit; }\n'
"""The beginning of a script that takes the place of wort."""
HOSTILE_PATH = Path("/tmp/a b'\"$(touch hacked)`touch hacked`\\;&\nc#%{x}")
HOSTILE = replace(PLAIN, directory=HOSTILE_PATH, program=f"{HOSTILE_PATH}/wort", variables={"WORT_S3_ACL": "'\n$HOME"})


def written(engine: str, batch: Batch) -> Written:
    """Return what is written for an engine."""
    made: Written = import_module(f"wort_cli.commands.shared.batch.{ENGINES[engine]}").written(batch)
    return made


def golden_files() -> Iterator[tuple[Path, str]]:
    """Yield the golden files and their texts."""
    for engine in ENGINES:
        made = written(engine, PLAIN)
        for name, text in made.files.items():
            yield DIRECTORY / engine / f"{name}.txt", text
        yield DIRECTORY / engine / "steps.txt", "".join(f"{step.what}: {step.command}\n" for step in made.steps)


def write_golden_files() -> None:
    """Write all golden files."""
    for path, text in golden_files():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
