"""The signature of `sourmash sketch` of a FASTA file, with a profile; in this process, which is quicker."""

import contextlib
import io
import re
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

from wort_cli.model.profile import Profile


def sketch(profile: Profile, fasta: Path, name: str, filename: str = "") -> bytes:
    """Return the JSON of the signature, without the line feed at its end."""
    from sourmash.__main__ import main

    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory, "out.sig")
        arguments = [*profile.sourmash_arguments(), "--name", name, "-o", str(out), str(fasta)]
        silent = contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO())
        with silent[0], silent[1], contextlib.suppress(SystemExit), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            main(arguments)
        made = out.read_bytes().rstrip(b"\n")
    return re.sub(rb'"filename":"[^"]*"', b'"filename":"%s"' % filename.encode(), made, count=1)


def recipe(profile: Profile, archive: Path, name: str, env: Mapping[str, str]) -> bytes:
    """Return the JSON of the signature that the recipe of a profile makes of an archive."""
    with tempfile.TemporaryDirectory() as directory:
        fasta = Path(directory, "reads.fa")
        program = shutil.which("fastq-dump") or "fastq-dump"
        with fasta.open("wb") as file:
            argv = [program, *profile.decode_flags, str(archive)]
            subprocess.run(argv, stdout=file, stderr=subprocess.DEVNULL, env=dict(env), cwd=directory, check=True)
        return sketch(profile, fasta, name)
