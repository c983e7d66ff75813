"""The layout of a signature file: the JSON that the installed sourmash writes around the numbers.

The layout of KNOWN_VERSIONS is built in, because importing sourmash takes a second of CPU time and 100 MB.  For any
other version it is derived from examples: sourmash writes each sketch, reduced to two hashes, as a signature.  The JSON
around the two hashes is the Frame of the sketch; the JSON around the sketch is put around all sketches, as
`sourmash sketch -p k=21,k=31,k=51` does.  If the JSON of an example has an unexpected form, UnknownLayout is raised.

Sources of the format: sourmash src/core/src/signature.rs and src/core/src/sketch/minhash.rs (Serialize, md5sum).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from wort_cli.model.profile import DNA, max_hash_for_scaled
from wort_cli.model.signature_file import Sketch
from wort_cli.pipeline.sketching.molecules import FLAGS
from wort_cli.versions import library_version

KNOWN_VERSIONS = frozenset(
    {"4.8.9", "4.8.11", "4.8.14", "4.9.0", "4.9.1", "4.9.2", "4.9.3", "4.9.4"}  # each was installed and compared
)
OPENING, CLOSING = b'"signatures":[', b'],"version"'


class UnknownLayout(Exception):
    """The installed sourmash writes signatures in an unknown form."""


@dataclass(frozen=True)
class Frame:
    """The JSON around the numbers of one sketch."""

    before_hashes: bytes
    before_md5: bytes
    before_abundances: bytes | None
    """None if there are no abundances, or if the sketch is empty; then `before_hashes` is the whole sketch."""
    after: bytes


@dataclass(frozen=True)
class Layout:
    """The JSON around the sketches of a signature, and the frame of each sketch."""

    before: bytes
    frames: tuple[Frame, ...]
    after: bytes


def layout_of(name: str, sketches: Sequence[Sketch], filename: str = "") -> Layout:
    """Return the layout in which the installed sourmash writes these sketches.

    Raises UnknownLayout, or ValueError if sourmash cannot write them.
    """
    plain = is_plain(name) and (not filename or is_plain(filename))
    if plain and library_version("sourmash") in KNOWN_VERSIONS:
        return known_layout(name, sketches, filename)
    return layout_from_examples(name, sketches, filename)


def is_plain(name: str) -> bool:
    """Return whether a name is written unchanged: sourmash cuts it at a NUL, and writes null for an empty one."""
    return name != "" and name.isprintable()


def known_layout(name: str, sketches: Sequence[Sketch], filename: str = "") -> Layout:
    """Return the layout of KNOWN_VERSIONS for a plain name; raise ValueError if they cannot write the sketches."""
    before = (
        '[{"class":"sourmash_signature","email":"","hash_function":"0.murmur64",'
        f'"filename":{json.dumps(filename, ensure_ascii=False)},'
        f'"name":{json.dumps(name, ensure_ascii=False)},"license":"CC0",'
    )
    frames = tuple(map(known_frame, sketches))
    return Layout(before.encode() + OPENING, frames, CLOSING + b":0.4}]")


def known_frame(sketch: Sketch) -> Frame:
    """Return the frame that KNOWN_VERSIONS write around the numbers of a sketch."""
    check_scaled(sketch)
    before = f'{{"num":0,"ksize":{sketch.ksize},"seed":{sketch.seed},"max_hash":{sketch.max_hash},"mins":['.encode()
    before_md5, before_abundances, after = (
        b'],"md5sum":"',
        b'","abundances":[',
        f',"molecule":"{sketch.moltype}"}}'.encode(),
    )
    if sketch.hashes.size:
        if sketch.abundances is None:
            return Frame(before, before_md5, None, b'"' + after)
        return Frame(before, before_md5, before_abundances, b"]" + after)
    md5 = sketch.md5sum().encode()
    close = b'"' if sketch.abundances is None else before_abundances + b"]"
    return Frame(before + before_md5 + md5 + close + after, b"", None, b"")


def check_scaled(sketch: Sketch) -> None:
    """Raise ValueError if no scaled has the sketch's max_hash: sourmash computes max_hash from scaled."""
    if not sketch.scaled or max_hash_for_scaled(sketch.scaled) != sketch.max_hash:
        raise ValueError(f"no scaled has the max_hash {sketch.max_hash}: sourmash cannot write it")


def layout_from_examples(name: str, sketches: Sequence[Sketch], filename: str = "") -> Layout:
    """Derive the layout from examples that the installed sourmash writes."""
    around: set[tuple[bytes, bytes]] = set()
    frames = []
    for sketch in sketches:
        before, body, after = split_json(sourmash_json(name, example_of(sketch), filename))
        around.add((before, after))
        frames.append(frame_of(sketch, body))
    if len(around) != 1:
        raise UnknownLayout("the sketches of a signature are not written in the same form")
    [(before, after)] = around
    return Layout(before, tuple(frames), after)


def example_of(sketch: Sketch) -> Sketch:
    """Return the sketch reduced to two hashes; an empty one is returned unchanged."""
    if not sketch.hashes.size:
        return sketch
    abundances = None if sketch.abundances is None else np.array([3, 4], np.uint64)
    return replace(sketch, hashes=np.array([1, 2], np.uint64), abundances=abundances)


def frame_of(sketch: Sketch, body: bytes) -> Frame:
    """Return the frame of a sketch from the JSON of its example."""
    if not sketch.hashes.size:
        return Frame(body, b"", None, b"")
    md5 = hashlib.md5(f"{sketch.ksize}12".encode(), usedforsecurity=False).hexdigest().encode()
    numbers = b'"mins":[1,2],"md5sum":"' + md5 + b'"'
    if sketch.abundances is not None:
        numbers += b',"abundances":[3,4]'
    if body.count(numbers) != 1 or body.count(b"[") != (1 if sketch.abundances is None else 2):
        raise UnknownLayout("a sketch is not written as mins, md5sum, abundances")
    before, after = body.split(numbers)
    if sketch.abundances is None:
        return Frame(before + b'"mins":[', b'],"md5sum":"', None, b'"' + after)
    return Frame(before + b'"mins":[', b'],"md5sum":"', b'","abundances":[', b"]" + after)


def write_with_sourmash(name: str, sketches: Sequence[Sketch], filename: str = "") -> bytes:
    """Return the JSON of a signature, joined from one signature per sketch that sourmash writes."""
    written = [split_json(sourmash_json(name, sketch, filename)) for sketch in sketches]
    before, _, after = written[0]
    return before + b",".join(body for _, body, _ in written) + after


def split_json(text: bytes) -> tuple[bytes, bytes, bytes]:
    """Split the JSON of a signature into the text before its sketches, the sketches, and the rest."""
    before, _, rest = text.partition(OPENING)
    body, closing, after = rest.rpartition(CLOSING)
    if not closing:
        raise UnknownLayout("the JSON has no list of sketches")
    return before + OPENING, body, closing + after


def sourmash_json(name: str, sketch: Sketch, filename: str = "") -> bytes:
    """Return the JSON that sourmash writes for a signature with one sketch."""
    from sourmash import MinHash, SourmashSignature
    from sourmash.signature import save_signatures_to_json

    check_scaled(sketch)
    flag = {} if sketch.moltype == DNA else {FLAGS[sketch.moltype]: True}
    abundance = sketch.abundances is not None
    minhash = MinHash(n=0, ksize=sketch.k, scaled=sketch.scaled, seed=sketch.seed, track_abundance=abundance, **flag)
    if sketch.abundances is None:
        minhash.add_many(sketch.hashes.tolist())
    else:
        minhash.set_abundances(dict(zip(sketch.hashes.tolist(), sketch.abundances.tolist(), strict=True)))
    signature = SourmashSignature(minhash, name=str(name))
    signature.filename = filename  # empty as `sourmash sketch` writes it for standard input; the default is null
    text: bytes = save_signatures_to_json([signature])
    return text
