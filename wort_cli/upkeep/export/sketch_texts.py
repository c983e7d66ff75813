"""Takes single sketches out of a signature file, without parsing their numbers unless they are reduced.

The files of this home have the layout of sourmash: the sketches are JSON objects without inner objects.  Other layouts
are parsed and written again.  What is written is what sourmash would write for these sketches (sourmash
src/core/src/signature.rs and src/core/src/sketch/minhash.rs, Serialize).
"""

import io
import json
import re
import zlib
from collections.abc import Sequence

import numpy as np

from wort_cli.model.profile import TRANSLATED, max_hash_for_scaled
from wort_cli.model.signature_file import GZIP_MAGIC, Sketch, parse_sketch
from wort_cli.model.sketch_row import MOST, SketchRow
from wort_cli.reading.strict import read_document
from wort_cli.upkeep.export.selection import Chosen

OPENING, CLOSING, BETWEEN = b'"signatures":[', b'],"version":0.4}]', b"},{"
HEAD = re.compile(rb'\{"num":0,"ksize":(\d+),"seed":\d+,"max_hash":(\d+),"mins":\[')
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
"""Deflate, no time, fastest compression, unknown system: what sourmash writes."""
LEVEL = 1


class OtherContent(Exception):
    """A file does not have the sketches that are recorded."""


def gunzipped(content: bytes) -> bytes:
    """Return the text of a signature file; raise OtherContent if its gzip is damaged."""
    if not content.startswith(GZIP_MAGIC):
        return content
    try:
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        text = unpacker.decompress(content)
    except zlib.error:
        raise OtherContent from None
    if not unpacker.eof or unpacker.unused_data:
        raise OtherContent
    return text


def gzipped(text: bytes) -> bytes:
    """Return a text as gzip; equal texts give equal bytes."""
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    end = zlib.crc32(text).to_bytes(4, "little") + (len(text) % 2**32).to_bytes(4, "little")
    return GZIP_HEADER + compressor.compress(text) + compressor.flush() + end


def split_sketches(text: bytes, rows: Sequence[SketchRow]) -> tuple[bytes, list[bytes]] | None:
    """Return the text before the sketches, and that of each; None if the file has another layout or other sketches."""
    before, _, rest = text.partition(OPENING)
    if not before.startswith(b'[{"class":"sourmash_signature",') or not rest.endswith(CLOSING):
        return None
    parts = rest[: -len(CLOSING)].split(BETWEEN)
    if len(parts) != len(rows):
        return None
    first, last = 0, len(parts) - 1
    texts = [
        (b"" if place == first else b"{") + part + (b"" if place == last else b"}") for place, part in enumerate(parts)
    ]
    for sketch, row in zip(texts, rows, strict=True):
        found = HEAD.match(sketch)
        ksize = row.ksize * 3 if row.moltype in TRANSLATED else row.ksize
        if found is None or int(found[1]) != ksize or b'"md5sum":"' + row.md5.encode() + b'"' not in sketch:
            return None
    return before + OPENING, texts


def sketch_texts(
    content: bytes, rows: Sequence[SketchRow], chosen: Sequence[Chosen], scaled: int
) -> tuple[bytes, list[tuple[SketchRow, bytes]]]:
    """Return the text before the sketches of a signature file, and the row and the text of each that was chosen.

    `scaled`: reduce them to it; 0 leaves them as they are.  Raises OtherContent if the file has other sketches than
    `rows`, and Refusal if it is damaged.
    """
    text = gunzipped(content)
    split = split_sketches(text, rows)
    if split is not None and not any(scaled not in (0, one.row.scaled) for one in chosen):
        before, texts = split
        return before, [(one.row, texts[one.position]) for one in chosen]
    if split is not None:
        before, texts = split
        return before, [reduced(parsed(texts[one.position]), one.row, scaled) for one in chosen]
    document = read_document(io.BytesIO(content))
    if [sketch.md5 for sketch in document.sketches] != [row.md5 for row in rows]:
        raise OtherContent
    before = head_text(document.name, document.filename)
    return before, [reduced(document.sketches[one.position], one.row, scaled) for one in chosen]


def parsed(text: bytes) -> Sketch:
    """Return the sketch in a JSON text; raise OtherContent if it is not one."""
    try:
        return parse_sketch(json.loads(text))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise OtherContent from None


def head_text(name: str, filename: str) -> bytes:
    """Return the JSON of a signature before its sketches."""
    head = {"class": "sourmash_signature", "email": "", "hash_function": "0.murmur64", "filename": filename,
            "name": name, "license": "CC0"}  # fmt: skip
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":"))
    return f"[{text[:-1]},".encode() + OPENING


def reduced(sketch: Sketch, row: SketchRow, scaled: int) -> tuple[SketchRow, bytes]:
    """Return the row and the JSON of a sketch with the hashes that a larger scaled keeps; 0 keeps all."""
    wanted = scaled or row.scaled
    max_hash = max_hash_for_scaled(wanted) if scaled and scaled != row.scaled else sketch.max_hash
    kept = int(np.searchsorted(sketch.hashes, np.uint64(max_hash), side="right"))
    hashes = sketch.hashes[:kept]
    abundances = None if sketch.abundances is None else sketch.abundances[:kept]
    small = Sketch(sketch.ksize, sketch.seed, max_hash, hashes, abundances, sketch.moltype, num=sketch.num)
    md5 = small.md5sum()
    total = None if abundances is None else int(abundances.sum())
    new = row._replace(
        md5=md5, scaled=wanted, n_hashes=kept, abundance_sum=None if total is None or total > MOST else total
    )
    return new, sketch_text(small, md5)


def sketch_text(sketch: Sketch, md5: str) -> bytes:
    """Return the JSON of a sketch."""
    parts = [
        f'{{"num":{sketch.num},"ksize":{sketch.ksize},"seed":{sketch.seed},"max_hash":{sketch.max_hash},"mins":[',
        ",".join(map(str, sketch.hashes.tolist())),
        f'],"md5sum":"{md5}"',
    ]
    if sketch.abundances is not None:
        parts += [',"abundances":[', ",".join(map(str, sketch.abundances.tolist())), "]"]
    return ("".join(parts) + f',"molecule":{json.dumps(sketch.moltype)}}}').encode()


def signature_text(before: bytes, sketches: Sequence[bytes]) -> bytes:
    """Return the JSON of a signature."""
    return before + b",".join(sketches) + CLOSING
