"""The strict grammar of a signature: one, of a known profile, every part of it as sourmash 4 writes it.

sourmash's own parser lets through what is none of that: a wrong md5, hashes that do not ascend, abundances that are
fewer than hashes, several signatures.  Here the first thing that is not right is named, with its place, and what would
make a right one.  Source of the format: sourmash src/core/src/signature.rs and src/core/src/sketch/minhash.rs.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from wort_cli.errors import shown
from wort_cli.model.profile import PROFILES, Profile
from wort_cli.model.signature_file import GZIP_MAGIC, SignatureDocument, Sketch, molecule_of
from wort_cli.submission.pull_parser import JsonPullParser, Numbers
from wort_cli.submission.refusal import Refusal

PIECE = 1 << 18
"""Bytes that are unpacked together."""
LONGEST_NAME, LONGEST_FILENAME = 300, 1000
"""Characters."""
UNBOUNDED = 1 << 62
OTHER_FORMATS = {
    b"PK\x03\x04": ("a zip archive", "`sourmash sig cat FILE.zip -o FILE.sig` takes a signature out of it"),
    b"BZh": ("packed with bzip2", "unpack it first: `bunzip2 FILE`"),
    b"\xfd7zXZ": ("packed with xz", "unpack it first: `unxz FILE`"),
    b"\x28\xb5\x2f\xfd": ("packed with zstd", "unpack it first: `unzstd FILE`"),
    b"\x89HDF": ("an HDF5 file", "a signature is sourmash's JSON, gzip or not"),
    b"<": ("a page of HTML or XML", "look at it: an error page is often saved under the name of a file"),
    b">": ("FASTA", "make a signature of it first"),
    b"@": ("FASTQ", "make a signature of it first"),
}


@dataclass(frozen=True)
class Checked:
    """A signature that is all right, and the profile that it is of."""

    document: SignatureDocument
    profile: Profile


def recipe(profile: Profile, accession: str = "ACC") -> str:
    """The two commands by which anybody makes a signature of a profile."""
    decode = " ".join(("fastq-dump", *profile.decode_flags, accession))
    sketch = " ".join(("sourmash", *profile.sourmash_arguments()))
    return f"{decode} | {sketch} --name {accession} -o {accession}.sig -"


def check_file(path: Path, *, unpacked: int = UNBOUNDED, allow_empty: bool = False) -> Checked:
    """The signature in a file; Refusal with the first thing that is wrong.  OSError if it can't be read."""
    with path.open("rb") as file:
        return check_signature(file, unpacked=unpacked, allow_empty=allow_empty)


def check_signature(file: IO[bytes], *, unpacked: int, allow_empty: bool = False) -> Checked:
    """The signature in an open file, which may unfold to so many bytes; Refusal with the first thing that is wrong."""
    return SignatureReader(JsonPullParser(unpacked_pieces(file, unpacked)), allow_empty=allow_empty).read()


def unpacked_pieces(file: IO[bytes], most: int) -> Iterator[bytes]:
    """The content of a file, unpacked if it is gzip, up to `most` bytes."""
    first = file.read(PIECE)
    if not first:
        raise Refusal("it is empty")
    for magic, (what, hint) in OTHER_FORMATS.items():
        if first.startswith(magic):
            raise Refusal(f"it is {what}", "byte 0", hint)
    total = 0
    for piece in gunzipped_pieces(first, file) if first.startswith(GZIP_MAGIC) else plain_pieces(first, file):
        total += len(piece)
        if total > most:
            raise Refusal(f"it unfolds to more than {most:,} bytes", hint="the setting `submit_unpacked` allows more")
        yield piece


def plain_pieces(first: bytes, file: IO[bytes]) -> Iterator[bytes]:
    """Pieces as they are."""
    piece = first
    while piece:
        yield piece
        piece = file.read(PIECE)


def gunzipped_pieces(first: bytes, file: IO[bytes]) -> Iterator[bytes]:
    """Pieces out of gzip: of one member, whole, with nothing behind it."""
    member = zlib.decompressobj(wbits=31)
    packed = first
    try:
        while packed or member.unconsumed_tail:
            if piece := member.decompress(member.unconsumed_tail or packed, PIECE):
                yield piece
            if member.eof:
                break
            if not member.unconsumed_tail:
                packed = file.read(PIECE)
    except zlib.error as error:
        raise Refusal(f"its gzip is damaged: {error}", hint="fetch or pack it anew") from None
    if not member.eof:
        raise Refusal("its gzip is cut short", hint="fetch or pack it anew")
    if member.unused_data or file.read(1):
        raise Refusal("something follows the gzip: it must be of one member", hint="`zcat FILE | gzip > NEW.sig`")


@dataclass
class SignatureReader:
    """Reads one signature; `candidates` are the profiles that it may still be of."""

    json: JsonPullParser
    allow_empty: bool = False
    candidates: list[Profile] = field(default_factory=lambda: list(PROFILES.values()))

    def read(self) -> Checked:
        """The whole document."""
        found: Checked | None = None
        for number in self.json.items():
            if number:
                raise self.json.refuse("it holds more than one signature", self.recipe_hint())
            self.json.path = ["signature"]
            found = self.signature()
        self.json.path = []
        self.json.end()
        if found is None:
            raise self.json.refuse("it holds no signature")
        return found

    def signature(self) -> Checked:
        """The one signature."""
        json, seen = self.json, dict[str, Any]()
        known = ("class", "email", "hash_function", "filename", "name", "license", "signatures", "version")
        for key in json.keys(known):
            if key == "signatures":
                seen[key] = self.sketches()
            elif key == "version":
                seen[key] = self.require_equal(key, json.word().decode("ascii", "replace"), "0.4")
            elif key in ("name", "filename", "email"):
                longest = LONGEST_FILENAME if key == "filename" else LONGEST_NAME
                seen[key] = self.text_or_null(f"the {key}", longest)
            else:
                seen[key] = self.require_equal(key, json.text(f"its {key}", 100), FIXED[key])
        for key in ("class", "hash_function", "license", "signatures", "version"):
            if key not in seen:
                raise json.refuse(f"it has no {key}")
        document = SignatureDocument(seen.get("name", ""), seen.get("filename", ""), tuple(seen["signatures"]))
        return Checked(document, self.candidates[0])

    def text_or_null(self, what: str, longest: int) -> str:
        """A text, or nothing."""
        if self.json.peek() != b"n":
            return self.json.text(what, longest)
        self.require_equal(what, self.json.word().decode("ascii", "replace"), "null")
        return ""

    def require_equal(self, what: str, found: str, wanted: str) -> str:
        """`found`; Refusal unless it is what sourmash writes."""
        if found != wanted:
            raise self.json.refuse(f"its {what} is {shown(found)}, not {wanted!r} as sourmash 4 writes it")
        return found

    def sketches(self) -> Sequence[Sketch]:
        """All sketches; those of a profile and no more."""
        found: list[Sketch] = []
        most = max(len(profile.ksizes) for profile in self.candidates)
        for number in self.json.items():
            self.json.path = ["signature", f"sketch {number + 1}"]
            if number >= most:
                raise self.json.refuse(
                    f"it holds more than the {most} sketches of {self.profile_names()}", self.recipe_hint()
                )
            sketch = self.sketch()
            if any(other.ksize == sketch.ksize for other in found):
                raise self.json.refuse(f"there are two sketches of k={sketch.ksize}", self.recipe_hint())
            found.append(sketch)
        self.json.path = ["signature"]
        self.require_profile(
            lambda profile: len(profile.ksizes) == len(found), f"it holds {len(found)} sketches", "ksizes"
        )
        return found

    def sketch(self) -> Sketch:
        """One sketch; each of its parts is proved before the next one is read, if it can be."""
        json, seen = self.json, dict[str, Any]()
        for key in json.keys(("num", "ksize", "seed", "max_hash", "mins", "md5sum", "abundances", "molecule")):
            if key == "mins":
                seen[key] = json.numbers("mins", ascending=True)
            elif key == "abundances":
                if not any(profile.abundance for profile in self.candidates):
                    raise json.refuse(f"it keeps abundances, {self.profile_names()} keeps none", self.recipe_hint())
                seen[key] = self.abundances()
            elif key == "molecule":
                seen[key] = molecule_of(json.text("its molecule", 100))
            elif key == "md5sum":
                seen[key] = json.text("its md5sum", 100)
            else:
                seen[key] = self.parameter(key, json.integer(f"its {key}"))
        for key in ("num", "ksize", "seed", "max_hash", "mins", "md5sum", "molecule"):
            if key not in seen:
                raise json.refuse(f"it has no {key}", self.recipe_hint())
        sketch = Sketch(
            ksize=seen["ksize"],
            seed=seen["seed"],
            max_hash=seen["max_hash"],
            hashes=seen["mins"],
            abundances=seen.get("abundances"),
            moltype=seen["molecule"],
            md5=seen["md5sum"],
        )
        self.check_consistency(sketch)
        return sketch

    def parameter(self, key: str, value: int) -> int:
        """A parameter of a sketch; Refusal unless a profile has it so."""
        if key == "ksize":
            self.json.path[-1] += f", k={value}"
            self.require_profile(lambda profile: value in profile.ksizes, f"its ksize is {value}", "ksizes")
        elif key == "seed":
            self.require_profile(lambda profile: value == profile.seed, f"its seed is {value}", "seed")
        elif key == "num" and value:
            raise self.json.refuse(
                f"its num is {value}, but {self.profile_names()} has num=0 and scaled", self.recipe_hint()
            )
        elif key == "max_hash":
            found = f"its max_hash is {value} (scaled={round(2**64 / value) if value else 0})"
            self.require_profile(lambda profile: value == profile.max_hash, found, "max_hash")
        return value

    def abundances(self) -> Numbers:
        """The abundances of a sketch: 1 at the least."""
        abundances = self.json.numbers("abundances", ascending=False)
        if abundances.size and not abundances.all():
            raise self.json.refuse(f"abundances[{int(abundances.argmin()):,}] is 0: a hash was seen once at the least")
        return abundances

    def check_consistency(self, sketch: Sketch) -> None:
        """Refusal unless the parts of a sketch fit together."""
        json = self.json
        if sketch.moltype != "DNA":
            raise json.refuse(
                f"its molecule is {shown(sketch.moltype)}, {self.profile_names()} is of DNA", self.recipe_hint()
            )
        if not sketch.hashes.size and not self.allow_empty:
            raise json.refuse("it is empty: it has no hashes")
        if sketch.hashes.size and int(sketch.hashes[-1]) > sketch.max_hash:
            index = int(np.searchsorted(sketch.hashes, np.uint64(sketch.max_hash), side="right"))
            raise json.refuse(f"mins[{index:,}] is {sketch.hashes[index]}, above its max_hash {sketch.max_hash}")
        if sketch.abundances is None:
            self.require_profile(lambda profile: not profile.abundance, "it has no abundances", "abundance")
        elif len(sketch.abundances) != len(sketch.hashes):
            raise json.refuse(f"it has {len(sketch.hashes):,} hashes and {len(sketch.abundances):,} abundances")
        if sketch.md5 != sketch.md5sum():
            raise json.refuse(
                f"its md5sum is {shown(sketch.md5)}, but that of its hashes is {sketch.md5sum()}",
                "the hashes are not those that sourmash wrote: fetch or make it anew",
            )

    def require_profile(self, fits: Any, found: str, aspect: str) -> None:
        """Leave the profiles that fit; Refusal if none does."""
        left = [profile for profile in self.candidates if fits(profile)]
        if not left:
            wanted = getattr(self.candidates[0], aspect)
            text = ", ".join(map(str, wanted)) if isinstance(wanted, tuple) else str(wanted).lower()
            raise self.json.refuse(f"{found}, but {self.profile_names()} has {aspect}: {text}", self.recipe_hint())
        self.candidates = left

    def profile_names(self) -> str:
        """The profiles it may be of."""
        return " or ".join(profile.name for profile in self.candidates)

    def recipe_hint(self) -> str:
        """How a right one is made."""
        return f"make it with: {recipe(self.candidates[0])}"


FIXED = {"class": "sourmash_signature", "hash_function": "0.murmur64", "license": "CC0"}
