"""Seals sketches into a signature file: the very bytes that `sourmash sketch` writes, gzip, read back and compared.

sourmash itself writes each sketch as a signature of its own; the sketches are then put together in one signature, as
`sourmash sketch -p k=21,k=31,k=51` lays them out, by cutting at `"signatures":[` and `],"version"`.  So whatever the
installed sourmash writes, we write.
"""

import gzip
import io
from collections.abc import Sequence
from pathlib import Path

from wort_cli.accession import Name
from wort_cli.failure import JobFailed, Reason
from wort_cli.signature_file import Sketch, digest, read_signature
from wort_cli.stores.local import write_whole

OPENING, CLOSING = b'"signatures":[', b'],"version"'


def seal(name: Name, sketches: Sequence[Sketch], path: Path) -> str:
    """Write the signature of `sketches` to `path`, whole or not at all; return its digest.

    JobFailed if what was written does not read back as what was meant.
    """
    write_whole(path, compressed(signature_json(name, sketches)))
    meant, written = digest(sketches), read_signature(path)
    if written.digest != meant or written.name != name:
        path.unlink()
        raise JobFailed(Reason.TOOL_CRASH, f"the sealed signature of {name} does not read back as it was written")
    return meant


def signature_json(name: Name, sketches: Sequence[Sketch]) -> bytes:
    """One signature with all sketches, as sourmash writes it."""
    start, inner, end = b"", [], b""
    for sketch in sketches:
        start, rest = single_json(name, sketch).split(OPENING, 1)
        body, end = rest.rsplit(CLOSING, 1)
        inner.append(body)
    return start + OPENING + b",".join(inner) + CLOSING + end


def single_json(name: Name, sketch: Sketch) -> bytes:
    """A signature of one sketch, as sourmash writes it."""
    from sourmash import MinHash, SourmashSignature
    from sourmash.signature import save_signatures_to_json

    minhash = MinHash(
        n=0, ksize=sketch.ksize, scaled=sketch.scaled, seed=sketch.seed, track_abundance=sketch.abundances is not None
    )
    if sketch.abundances is None:
        minhash.add_many(sketch.hashes.tolist())
    else:
        minhash.set_abundances(dict(zip(sketch.hashes.tolist(), sketch.abundances.tolist(), strict=True)))
    signature = SourmashSignature(minhash, name=str(name))
    signature.filename = ""  # as `sourmash sketch` has it from standard input; without, it would be null
    text: bytes = save_signatures_to_json([signature])
    return text


def compressed(data: bytes) -> bytes:
    """gzip without a time and a name, so that equal content is equal bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0, compresslevel=6) as file:
        file.write(data)
    return buffer.getvalue()
