"""Reads a file by a strict grammar: one signature, each part exactly as sourmash 4 writes it.

`check_signature` accepts a signature of a known profile, as a submission must be; `read_document` accepts whatever
sourmash 4 can write.

sourmash's own parser also accepts a wrong md5, hashes that do not ascend, fewer abundances than hashes, and several
signatures.  Here the first fault raises Refusal with its place and the command that makes a valid signature.  Source of
the format: sourmash src/core/src/signature.rs and src/core/src/sketch/minhash.rs.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from wort_cli.errors import shown
from wort_cli.model.profile import DNA, PROFILES, SRA_V1, Profile
from wort_cli.model.signature_file import SignatureDocument, Sketch, molecule_of
from wort_cli.reading.checks import OF_PARTS, Check
from wort_cli.reading.containers import UNCHANGED_HINT, documents, is_zip, unpacked_pieces
from wort_cli.reading.pull_parser import JsonPullParser, Numbers
from wort_cli.reading.refusal import Refusal

MAX_NAME_LENGTH, MAX_FILENAME_LENGTH = 300, 1000
"""Characters."""
MAX_SKETCHES = 100
NO_LIMIT = 1 << 62


@dataclass(frozen=True)
class Checked:
    """A valid signature and its profile."""

    document: SignatureDocument
    profile: Profile
    is_joined: bool = False
    """Whether the file has several signatures, which are one: one for each sketch, or a zip file."""


def recipe(profile: Profile, accession: str = "ACC") -> str:
    """Return the shell pipeline that makes a signature of a profile."""
    decode = " ".join(("fastq-dump", *profile.decode_flags, accession))
    sketch = " ".join(("sourmash", *profile.sourmash_arguments()))
    return f"{decode} | {sketch} --name {accession} -o {accession}.sig -"


def check_file(
    path: Path, *, max_unpacked: int = NO_LIMIT, allow_empty: bool = False, profile: Profile = SRA_V1
) -> Checked:
    """Return the signature in a file; raise Refusal with its first fault, OSError if the file cannot be read."""
    with path.open("rb") as file:
        return check_signature(file, max_unpacked=max_unpacked, allow_empty=allow_empty, profile=profile)


def check_signature(
    file: IO[bytes], *, max_unpacked: int, allow_empty: bool = False, profile: Profile = SRA_V1
) -> Checked:
    """Return the signature of a profile in an open file of at most `max_unpacked` bytes.

    Raises Refusal with its first fault.

    The limit is on the decompressed size.  `allow_empty` allows a signature without any hash.

    sourmash also writes one signature for each sketch, to one file (`sig cat`, `sketch -p ... -p ...`) or to a zip
    file: they are joined if they have the same name.
    """
    found: list[SignatureDocument] = []
    candidates = [profile]
    packed = is_zip(file)
    for pieces in documents(file, max_unpacked):
        reader = SignatureReader(JsonPullParser(pieces, UNCHANGED_HINT), candidates=candidates)
        found += reader.read_all()
        candidates = reader.candidates
    checked = join(found, candidates, allow_empty=allow_empty)
    return replace(checked, is_joined=packed or len(found) > 1)


def read_document(file: IO[bytes], *, max_unpacked: int = NO_LIMIT) -> SignatureDocument:
    """Return the signature in an open file, with any parameters; raise Refusal with its first fault."""
    parser = JsonPullParser(unpacked_pieces(file, max_unpacked), UNCHANGED_HINT)
    return SignatureReader(parser, any_parameters=True).read_any()


def read_documents(file: IO[bytes], *, max_unpacked: int = NO_LIMIT, most: int) -> Iterator[SignatureDocument]:
    """Yield the signatures in an open file, with any parameters: of JSON or of a collection, which is a zip file.

    Raises Refusal with the first fault, and for more than `most` signatures.
    """
    number = 0
    for pieces in documents(file, max_unpacked, most):
        reader = SignatureReader(JsonPullParser(pieces, UNCHANGED_HINT), any_parameters=True, most=most)
        for document in reader.iterate():
            number += 1
            if number > most:
                raise Refusal(f"it contains more than {most:,} signatures")
            yield document


def join(found: Sequence[SignatureDocument], candidates: Sequence[Profile], *, allow_empty: bool) -> Checked:
    """Return the signature that all signatures of a file are together; raise Refusal if they are not one."""
    first = found[0]
    for other in found[1:]:
        if other.name != first.name:
            raise Refusal(f"it contains signatures of {shown(first.name)} and of {shown(other.name)}", check=Check.ONE)
    sketches = tuple(sketch for document in found for sketch in document.sketches)
    if len(found) > 1:
        sketches = tuple(sorted(sketches, key=lambda sketch: sketch.ksize))
    sizes = [sketch.ksize for sketch in sketches]
    for ksize in sizes:
        if sizes.count(ksize) > 1:
            raise Refusal(f"it contains two sketches of k={ksize}", "", recipe_hint(candidates), Check.ONE)
    profiles = [profile for profile in candidates if len(profile.ksizes) == len(sizes)]
    if not profiles:
        number = f"{len(sizes)} {'sketch' if len(sizes) == 1 else 'sketches'}"
        wanted = ", ".join(map(str, candidates[0].ksizes))
        names = " or ".join(profile.name for profile in candidates)
        why = f"it contains {number}, but {names} has ksizes: {wanted}"
        raise Refusal(why, "signature", recipe_hint(candidates), Check.KSIZES)
    if not (allow_empty or any(sketch.hashes.size for sketch in sketches)):
        raise Refusal("it is empty: it has no hashes", check=Check.HASHES)
    return Checked(SignatureDocument(first.name, first.filename, sketches), profiles[0])


def recipe_hint(candidates: Sequence[Profile]) -> str:
    """Return a hint with the command that makes a valid signature."""
    return f"make it with: {recipe(candidates[0])}"


def profile_name(document: SignatureDocument, wanted: Profile = SRA_V1) -> str:
    """Return the name of the profile that a signature has exactly the parameters of; '' if there is none.

    Several profiles may have the same parameters: `wanted` comes first, then those that are built in.
    """
    found = [(s.moltype, s.ksize, s.seed, s.max_hash, s.abundances is not None) for s in document.sketches]
    fitting = (profile.name for profile in (wanted, *PROFILES.values()) if profile.fits(found))
    return next(fitting, "")


@dataclass
class SignatureReader:
    """Reads one signature; `candidates` are the profiles that it may still match.

    With `any_parameters` it need not match a profile.
    """

    json: JsonPullParser
    any_parameters: bool = False
    most: int = 0
    """The signatures that the document may have; 0 for as many as a submission may have."""
    candidates: list[Profile] = field(default_factory=lambda: list(PROFILES.values()))

    def read_any(self) -> SignatureDocument:
        """Read the whole document; raise Refusal if it has more than one signature."""
        first, *others = self.read_all()
        if others:
            raise self.json.refuse("it contains more than one signature", self.recipe_hint())
        return first

    def read_all(self) -> list[SignatureDocument]:
        """Read the whole document: the signatures in it, at least one."""
        return list(self.iterate())

    def iterate(self) -> Iterator[SignatureDocument]:
        """Read the whole document; yield each signature in it, at least one."""
        found = 0
        most = self.most or 1 + (0 if self.any_parameters else MAX_SKETCHES)
        for number in self.json.items():
            if number >= most:
                many = f"{self.most:,} signatures" if self.most else "one signature"
                raise self.json.refuse(f"it contains more than {many}", self.recipe_hint(), Check.ONE)
            self.json.path = ["signature"] if not number else [f"signature {number + 1}"]
            yield self.read_signature()
            found += 1
        self.json.path = []
        self.json.end()
        if not found:
            raise self.json.refuse("it contains no signature", check=Check.ONE)

    def read_signature(self) -> SignatureDocument:
        """Read the object of the signature."""
        json, seen = self.json, dict[str, Any]()
        known = ("class", "email", "hash_function", "filename", "name", "license", "signatures", "version")
        for key in json.keys(known):
            if key == "signatures":
                seen[key] = self.read_sketches()
            elif key == "version":
                seen[key] = self.check_equal(key, json.word().decode("ascii", "replace"), "0.4")
            elif key in ("name", "filename", "email"):
                longest = MAX_FILENAME_LENGTH if key == "filename" else MAX_NAME_LENGTH
                seen[key] = self.read_text_or_null(f"the {key}", longest)
            else:
                seen[key] = self.check_equal(key, json.text(f"its {key}", 100), FIXED[key])
        for key in ("class", "hash_function", "license", "signatures", "version"):
            if key not in seen:
                raise json.refuse(f"it has no {key}")
        return SignatureDocument(seen.get("name", ""), seen.get("filename", ""), tuple(seen["signatures"]))

    def read_text_or_null(self, what: str, longest: int) -> str:
        """Read a text or null; return '' for null."""
        if self.json.peek() != b"n":
            return self.json.text(what, longest)
        self.check_equal(what, self.json.word().decode("ascii", "replace"), "null")
        return ""

    def check_equal(self, what: str, found: str, wanted: str) -> str:
        """Return `found`; raise Refusal unless it equals `wanted`, which sourmash writes."""
        if found != wanted:
            raise self.json.refuse(
                f"its {what} is {shown(found)}, but sourmash 4 writes {wanted!r}",
                UNCHANGED_HINT,
            )
        return found

    def read_sketches(self) -> Sequence[Sketch]:
        """Read the list of sketches: those of one profile and no more."""
        found: list[Sketch] = []
        most = MAX_SKETCHES if self.any_parameters else max(len(profile.ksizes) for profile in self.candidates)
        for number in self.json.items():
            self.json.path = ["signature", f"sketch {number + 1}"]
            if number >= most:
                raise self.json.refuse(
                    f"it contains more than the {most} sketches of {self.profile_names()}",
                    self.recipe_hint(),
                    Check.KSIZES,
                )
            sketch = self.read_sketch()
            if not self.any_parameters and any(other.ksize == sketch.ksize for other in found):
                raise self.json.refuse(f"it contains two sketches of k={sketch.ksize}", self.recipe_hint(), Check.ONE)
            found.append(sketch)
        self.json.path = ["signature"]
        return found

    def read_sketch(self) -> Sketch:
        """Read one sketch; check each part before reading the next one, where possible."""
        json, seen, md5 = self.json, dict[str, Any](), ""
        for key in json.keys(("num", "ksize", "seed", "max_hash", "mins", "md5sum", "abundances", "molecule")):
            json.check = OF_PARTS[key]
            if key == "mins":
                digits = hashlib.md5(str(seen.get("ksize", "")).encode(), usedforsecurity=False)
                seen[key] = json.numbers("mins", ascending=True, digits=digits)
                md5 = digits.hexdigest() if "ksize" in seen else ""
            elif key == "abundances":
                if not self.any_parameters and not any(profile.abundance for profile in self.candidates):
                    raise json.refuse(f"it has abundances, but {self.profile_names()} has none", self.recipe_hint())
                seen[key] = self.read_abundances()
            elif key == "molecule":
                seen[key] = molecule_of(json.text("its molecule", 100))
            elif key == "md5sum":
                seen[key] = json.text("its md5sum", 100)
            else:
                seen[key] = self.check_parameter(key, json.integer(f"its {key}"))
            json.check = Check.GRAMMAR
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
            num=seen["num"],
        )
        self.check_consistency(sketch, md5 or sketch.md5sum())
        return sketch

    def check_parameter(self, key: str, value: int) -> int:
        """Return a parameter of a sketch; raise Refusal unless a profile has this value."""
        if key == "ksize":
            self.json.path[-1] += f", k={value}"
            self.narrow_candidates(
                lambda profile: value in profile.stored_ksizes, f"its ksize is {value}", "stored_ksizes"
            )
        elif key == "seed":
            self.narrow_candidates(lambda profile: value == profile.seed, f"its seed is {value}", "seed")
        elif key == "num" and value and not self.any_parameters:
            raise self.json.refuse(
                f"its num is {value}, but {self.profile_names()} has num=0 and scaled", self.recipe_hint()
            )
        elif key == "max_hash":
            found = f"its max_hash is {value} (scaled={round(2**64 / value) if value else 0})"
            self.narrow_candidates(lambda profile: value == profile.max_hash, found, "max_hash")
        return value

    def read_abundances(self) -> Numbers:
        """Read the abundances of a sketch, which must be positive."""
        abundances = self.json.numbers("abundances", ascending=False)
        if abundances.size and not abundances.all():
            raise self.json.refuse(f"abundances[{int(abundances.argmin()):,}] is 0; the smallest abundance is 1")
        return abundances

    def check_consistency(self, sketch: Sketch, md5: str) -> None:
        """Raise Refusal unless the parts of a sketch are consistent; `md5` is the md5 of its hashes (Sketch.md5sum)."""
        json = self.json
        found, wanted = sketch.moltype, self.candidates[0].moltype if self.candidates else DNA
        if found != wanted and not self.any_parameters:
            raise json.refuse(
                f"its molecule is {shown(found)}, but {self.profile_names()} is for {wanted}",
                self.recipe_hint(),
                Check.MOLECULE,
            )
        if sketch.hashes.size and sketch.max_hash and int(sketch.hashes[-1]) > sketch.max_hash:
            index = int(np.searchsorted(sketch.hashes, np.uint64(sketch.max_hash), side="right"))
            why = f"mins[{index:,}] is {sketch.hashes[index]}, above its max_hash {sketch.max_hash}"
            raise json.refuse(why, check=Check.HASHES)
        json.check = Check.ABUNDANCES
        if sketch.abundances is None:
            self.narrow_candidates(lambda profile: not profile.abundance, "it has no abundances", "abundance")
        elif len(sketch.abundances) != len(sketch.hashes):
            raise json.refuse(f"it has {len(sketch.hashes):,} hashes and {len(sketch.abundances):,} abundances")
        json.check = Check.GRAMMAR
        if sketch.md5 != md5:
            raise json.refuse(
                f"its md5sum is {shown(sketch.md5)}, but the md5 of its hashes is {md5}",
                "the hashes changed after sourmash wrote them: download or make the signature again",
                Check.MD5,
            )

    def narrow_candidates(self, fits: Any, found: str, aspect: str) -> None:
        """Keep the candidates for which `fits` is true; raise Refusal if there are none."""
        if self.any_parameters:
            return
        left = [profile for profile in self.candidates if fits(profile)]
        if not left:
            wanted, aspect = getattr(self.candidates[0], aspect), aspect.removeprefix("stored_")
            text = ", ".join(map(str, wanted)) if isinstance(wanted, tuple) else str(wanted).lower()
            raise self.json.refuse(f"{found}, but {self.profile_names()} has {aspect}: {text}", self.recipe_hint())
        self.candidates = left

    def profile_names(self) -> str:
        """Return the names of the candidates."""
        if self.any_parameters:
            return "a signature"
        return " or ".join(profile.name for profile in self.candidates)

    def recipe_hint(self) -> str:
        """Return a hint with the command that makes a valid signature."""
        if self.any_parameters:
            return UNCHANGED_HINT
        return recipe_hint(self.candidates)


FIXED = {"class": "sourmash_signature", "hash_function": "0.murmur64", "license": "CC0"}
