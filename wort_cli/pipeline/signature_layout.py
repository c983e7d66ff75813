"""How the installed sourmash lays a signature out: what it writes around the numbers.

Of the versions in KNOWN_VERSIONS that is known, and need not be asked for: to import sourmash takes a second of CPU
time and a hundred megabytes.  Of any other it is found by a tiny example.  sourmash is asked to write each sketch with
two hashes, as a signature of its own.  What it wrote around the two is the Frame of the real ones; what it wrote around
the sketches is put around all of them, as `sourmash sketch -p k=21,k=31,k=51` does.  So whatever the installed sourmash
writes, we write, or we find that we do not know its shape.

Sources of the format: sourmash src/core/src/signature.rs and src/core/src/sketch/minhash.rs (Serialize, md5sum).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from wort_cli.model.profile import max_hash_for_scaled
from wort_cli.model.signature_file import Sketch
from wort_cli.versions import library_version

KNOWN_VERSIONS = frozenset(
    {"4.8.9", "4.8.11", "4.8.14", "4.9.0", "4.9.1", "4.9.2", "4.9.3", "4.9.4"}  # each was installed and compared
)
OPENING, CLOSING = b'"signatures":[', b'],"version"'


class UnknownShape(Exception):
    """The installed sourmash writes signatures in a way that is not known here."""


@dataclass(frozen=True)
class Frame:
    """What sourmash writes around the numbers of one sketch."""

    before_hashes: bytes
    before_md5: bytes
    before_abundances: bytes | None
    """None if there are no abundances, or if there are no numbers at all, and `before_hashes` is all there is."""
    after: bytes


@dataclass(frozen=True)
class Layout:
    """What sourmash writes around the sketches of a signature, and around the numbers of each."""

    before: bytes
    frames: tuple[Frame, ...]
    after: bytes


def layout_of(name: str, sketches: Sequence[Sketch]) -> Layout:
    """How the installed sourmash lays these sketches out.

    UnknownShape if that is not understood; ValueError if sourmash can't write them.
    """
    if is_plain(name) and library_version("sourmash") in KNOWN_VERSIONS:
        return known_layout(name, sketches)
    return asked(name, sketches)


def is_plain(name: str) -> bool:
    """Whether it is known how a name is written: sourmash cuts it at a NUL, and has null for an empty one."""
    return name != "" and name.isprintable()


def known_layout(name: str, sketches: Sequence[Sketch]) -> Layout:
    """How KNOWN_VERSIONS lay these sketches out under a plain name; ValueError if they can't write them."""
    before = (
        '[{"class":"sourmash_signature","email":"","hash_function":"0.murmur64","filename":"",'
        f'"name":{json.dumps(name, ensure_ascii=False)},"license":"CC0",'
    )
    frames = tuple(map(known_frame, sketches))
    return Layout(before.encode() + OPENING, frames, CLOSING + b":0.4}]")


def known_frame(sketch: Sketch) -> Frame:
    """What KNOWN_VERSIONS write around the numbers of a sketch."""
    check_scaled(sketch)
    before = f'{{"num":0,"ksize":{sketch.ksize},"seed":{sketch.seed},"max_hash":{sketch.max_hash},"mins":['.encode()
    before_md5, before_abundances, after = b'],"md5sum":"', b'","abundances":[', b',"molecule":"DNA"}'
    if sketch.hashes.size:
        if sketch.abundances is None:
            return Frame(before, before_md5, None, b'"' + after)
        return Frame(before, before_md5, before_abundances, b"]" + after)
    md5 = sketch.md5sum().encode()
    close = b'"' if sketch.abundances is None else before_abundances + b"]"
    return Frame(before + before_md5 + md5 + close + after, b"", None, b"")


def check_scaled(sketch: Sketch) -> None:
    """ValueError if no scaled has the sketch's max_hash: sourmash takes scaled, and makes max_hash of it."""
    if not sketch.scaled or max_hash_for_scaled(sketch.scaled) != sketch.max_hash:
        raise ValueError(f"no scaled has the max_hash {sketch.max_hash}: sourmash can't write it")


def asked(name: str, sketches: Sequence[Sketch]) -> Layout:
    """How the installed sourmash lays these sketches out, by examples that it writes."""
    around: set[tuple[bytes, bytes]] = set()
    frames = []
    for sketch in sketches:
        before, body, after = parts(single_json(name, sample_of(sketch)))
        around.add((before, after))
        frames.append(frame_of(sketch, body))
    if len(around) != 1:
        raise UnknownShape("sketches of one signature are not written alike")
    [(before, after)] = around
    return Layout(before, tuple(frames), after)


def sample_of(sketch: Sketch) -> Sketch:
    """A small sketch with the parameters of a large one; one that is empty is its own sample."""
    if not sketch.hashes.size:
        return sketch
    abundances = None if sketch.abundances is None else np.array([3, 4], np.uint64)
    return replace(sketch, hashes=np.array([1, 2], np.uint64), abundances=abundances)


def frame_of(sketch: Sketch, body: bytes) -> Frame:
    """What sourmash wrote around the numbers of a sample."""
    if not sketch.hashes.size:
        return Frame(body, b"", None, b"")
    md5 = hashlib.md5(f"{sketch.ksize}12".encode(), usedforsecurity=False).hexdigest().encode()
    numbers = b'"mins":[1,2],"md5sum":"' + md5 + b'"'
    if sketch.abundances is not None:
        numbers += b',"abundances":[3,4]'
    if body.count(numbers) != 1 or body.count(b"[") != (1 if sketch.abundances is None else 2):
        raise UnknownShape("a sketch is not written as mins, md5sum, abundances")
    before, after = body.split(numbers)
    if sketch.abundances is None:
        return Frame(before + b'"mins":[', b'],"md5sum":"', None, b'"' + after)
    return Frame(before + b'"mins":[', b'],"md5sum":"', b'","abundances":[', b"]" + after)


def written_by_sourmash(name: str, sketches: Sequence[Sketch]) -> bytes:
    """The JSON of a signature, of what sourmash writes for each sketch as a signature of its own."""
    written = [parts(single_json(name, sketch)) for sketch in sketches]
    before, _, after = written[0]
    return before + b",".join(body for _, body, _ in written) + after


def parts(text: bytes) -> tuple[bytes, bytes, bytes]:
    """A signature's JSON up to its sketches, its sketches, and the rest."""
    before, _, rest = text.partition(OPENING)
    body, closing, after = rest.rpartition(CLOSING)
    if not closing:
        raise UnknownShape("no list of sketches is found")
    return before + OPENING, body, closing + after


def single_json(name: str, sketch: Sketch) -> bytes:
    """A signature of one sketch, as sourmash writes it."""
    from sourmash import MinHash, SourmashSignature
    from sourmash.signature import save_signatures_to_json

    check_scaled(sketch)
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
