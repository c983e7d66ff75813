"""Writes one sketch of a signature as a signature of its own: `wort view -k K -o FILE`."""

import gzip
import io
import json
from typing import IO

from wort_cli.model.signature_file import GZIP_MAGIC, k_of, molecule_of


def one_sketch(file: IO[bytes], ksize: int) -> IO[bytes]:
    """Return a gzipped signature with the sketches of one k-mer size only.

    `file` is a valid signature, whose limits were checked; it is in memory meanwhile.
    """
    file.seek(0)
    data = file.read()
    (signature,) = json.loads(gzip.decompress(data) if data.startswith(GZIP_MAGIC) else data)
    signature["signatures"] = [
        sketch for sketch in signature["signatures"] if k_of(sketch["ksize"], molecule_of(sketch["molecule"])) == ksize
    ]
    text = json.dumps([signature], separators=(",", ":"), ensure_ascii=False).encode()
    return io.BytesIO(gzip.compress(text, mtime=0))
