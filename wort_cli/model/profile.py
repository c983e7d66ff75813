"""Profiles: the named parameter sets of signatures.  A profile never changes; other parameters get another name.

`sra-v1` is built in, and under the name `genomes-v1` for assemblies.  Others are defined in config.toml, and recorded
in the ledger when they are used first.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from wort_cli.errors import UsageError, shown
from wort_cli.model.accession import ASSEMBLY

DNA = "DNA"
TRANSLATED = ("protein", "dayhoff", "hp")
"""Molecules whose k-mers are of amino acids, or of classes of them."""
SKIPMERS = ("skipm1n3", "skipm2n3")
"""Molecules whose k-mers skip bases: of three, they use the first, or the first two."""
MOLTYPES = {"dna": DNA, **{name: name for name in (*TRANSLATED, *SKIPMERS)}}
"""The molecules as a profile names them, and as sourmash writes them into a signature."""
PROFILE_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
MAX_K, MAX_KSIZES, MAX_SCALED, MAX_SEED = 255, 10, 2**32, 2**32 - 1
FIXED_FLAGS = ("--disable-multithreading", "--fasta", "0")
"""The flags of fastq-dump that every profile has, before its own; KEPT_FLAGS come after them."""
OWN_FLAGS = (("--skip-technical",), ("--readids",), ("--read-filter", "pass"), ("--dumpbase",), ("--split-spot",),
             ("--clip",))  # fmt: skip
"""The flags between them, in the order of the recipe."""
OPTIONAL_FLAGS = (("--skip-technical",), ("--read-filter", "pass"), ("--clip",))
"""Flags of fastq-dump that a profile may leave out."""
LAST_FLAGS = ("-Z",)


def max_hash_for_scaled(scaled: int) -> int:
    """Return the largest hash that a sketch keeps, in floating point as sourmash computes it (sketch/minhash.rs)."""
    return 2**64 - 1 if scaled == 1 else int(2**64 / scaled)


@dataclass(frozen=True)
class Profile:
    """The parameters of a signature, which has one sketch for each of `ksizes`."""

    name: str
    ksizes: tuple[int, ...]
    """The k of each sketch, as `sourmash sketch -p k=` takes it: in amino acids for translated reads."""
    scaled: int
    """A sketch keeps one in `scaled` of all hashes."""
    abundance: bool
    seed: int
    decode_flags: tuple[str, ...]
    """The flags of fastq-dump that go before the source."""
    moltype: str = DNA
    """The molecule, as sourmash writes it: one of the values of MOLTYPES.  Amino acids are those of DNA, translated."""

    @property
    def max_hash(self) -> int:
        """The largest hash that a sketch keeps."""
        return max_hash_for_scaled(self.scaled)

    @property
    def stored_ksizes(self) -> tuple[int, ...]:
        """The field `ksize` of each sketch: `sourmash sketch` stores three times k for all except plain DNA."""
        return self.ksizes if self.moltype == DNA else tuple(3 * k for k in self.ksizes)

    def sourmash_arguments(self) -> tuple[str, ...]:
        """Return the arguments with which `sourmash sketch` computes the same signature."""
        command = "translate" if self.moltype in TRANSLATED else "dna"
        parameters = [
            *([] if self.moltype == DNA else [self.moltype]),
            *(f"k={k}" for k in self.ksizes),
            f"scaled={self.scaled}",
            *(["abund"] if self.abundance else []),
            *([] if self.seed == SRA_V1.seed else [f"seed={self.seed}"]),
        ]
        return ("sketch", command, "-p", ",".join(parameters))

    def fits(self, sketches: Iterable[tuple[str, int, int, int, bool]]) -> bool:
        """Return whether sketches are those of this profile.

        Of each, the molecule, the stored ksize, seed, max_hash, and whether it has abundances.
        """
        wanted = [(self.moltype, k, self.seed, self.max_hash, self.abundance) for k in self.stored_ksizes]
        return sorted(sketches) == sorted(wanted)

    def to_json(self) -> dict[str, Any]:
        """Return the definition as JSON-ready data, with the keys of config.toml."""
        return {
            "k": list(self.ksizes),
            "scaled": self.scaled,
            "abund": self.abundance,
            "moltype": self.moltype.lower(),
            "seed": self.seed,
            "decode_flags": [" ".join(flag) for flag in OPTIONAL_FLAGS if flag[0] in self.decode_flags],
        }

    @property
    def sha256(self) -> str:
        """The checksum of the definition, in hexadecimal: two profiles with the same one make the same signatures."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode("ascii")).hexdigest()

    @classmethod
    def from_json(cls, name: str, data: Any) -> Self:
        """Return the profile with the definition in a table of config.toml.  Raises ValueError."""
        if not PROFILE_NAME.fullmatch(name):
            raise ValueError("a name has at most 63 lower-case letters, digits, '.', '_' and '-', and no path")
        if not isinstance(data, Mapping):
            raise ValueError(f"it must be a table: [profiles.{name}]")
        if unknown := sorted(set(map(str, data)) - KEYS):
            raise ValueError(f"it has no {shown(unknown[0])}; its keys are {', '.join(sorted(KEYS))}")
        if "k" not in data or "scaled" not in data:
            raise ValueError("it needs k and scaled")
        given = data["k"] if isinstance(data["k"], list | tuple) else [data["k"]]
        ksizes = tuple(integer("k", k, 1, MAX_K) for k in given)
        if not 1 <= len(ksizes) <= MAX_KSIZES or len(set(ksizes)) < len(ksizes):
            raise ValueError(f"k must be 1 to {MAX_KSIZES} different numbers")
        abundance = data.get("abund", False)
        if not isinstance(abundance, bool):
            raise ValueError("abund must be true or false")
        moltype = data.get("moltype", "dna")
        if not isinstance(moltype, str) or moltype.lower() not in MOLTYPES:
            raise ValueError(f"moltype must be one of {', '.join(MOLTYPES)}")
        return cls(
            name,
            ksizes,
            integer("scaled", data["scaled"], 1, MAX_SCALED),
            abundance,
            integer("seed", data.get("seed", SRA_V1.seed), 0, MAX_SEED),
            decode_flags_of(data["decode_flags"]) if "decode_flags" in data else SRA_V1.decode_flags,
            MOLTYPES[moltype.lower()],
        )


KEYS = frozenset({"k", "scaled", "abund", "moltype", "seed", "decode_flags"})
"""The keys of a definition."""


def integer(key: str, value: Any, least: int, most: int) -> int:
    """Return an integer of a definition; raise ValueError if it is not one from `least` to `most`."""
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{key} must be a whole number from {least} to {most}")
    return value


def decode_flags_of(words: Any) -> tuple[str, ...]:
    """Return the flags of fastq-dump with the given ones of OWN_FLAGS.  Raises ValueError for others."""
    text = words.split() if isinstance(words, str) else words
    if not isinstance(text, list | tuple) or not all(isinstance(word, str) for word in text):
        raise ValueError("decode_flags must be a list of flags of fastq-dump")
    rest, given = " ".join(text).split(), set[tuple[str, ...]]()
    while rest:
        flag = next((flag for flag in OWN_FLAGS if tuple(rest[: len(flag)]) == flag), None)
        if flag is None or flag in given:
            known = ", ".join(" ".join(flag) for flag in OPTIONAL_FLAGS)
            raise ValueError(f"decode_flags can't have {shown(rest[0])} here; those to choose from are {known}")
        given.add(flag)
        del rest[: len(flag)]
    kept = [flag for flag in OWN_FLAGS if flag in given or flag not in OPTIONAL_FLAGS]
    return (*FIXED_FLAGS, *(word for flag in kept for word in flag), *LAST_FLAGS)


SRA_V1 = Profile(
    name="sra-v1",
    ksizes=(21, 31, 51),
    scaled=1000,
    abundance=True,
    seed=42,
    decode_flags=(
        "--disable-multithreading", "--fasta", "0", "--skip-technical", "--readids", "--read-filter", "pass",
        "--dumpbase", "--split-spot", "--clip", "-Z",
    ),
)  # fmt: skip

GENOMES_V1 = replace(SRA_V1, name="genomes-v1")
"""The same parameters, of the sequences of an assembly: what the public service has of them."""
PROFILES = {SRA_V1.name: SRA_V1, GENOMES_V1.name: GENOMES_V1}
"""The profiles that are built in.  Each name has a signature of one of them only: see `profile_for`."""


def profile_for(name: str, profile: str) -> str:
    """Return the name of the profile under which the signature of a name is recorded.

    That of an assembly is `genomes-v1` where another's is `sra-v1`.
    """
    if profile not in PROFILES:
        return profile
    return GENOMES_V1.name if ASSEMBLY.fullmatch(name) else SRA_V1.name


def is_listed(name: str, profile: str) -> bool:
    """Return whether a list of a profile has the signature of a name."""
    return profile_for(name, profile) in (profile, listed_with(profile))


def listed_with(profile: str) -> str:
    """Return the other profile that a list of a profile has too: with `sra-v1`, assemblies are listed."""
    return GENOMES_V1.name if profile == SRA_V1.name else profile


def profile_named(name: str) -> Profile:
    """Return a built-in profile.  Raises UsageError, which lists all of them, if there is none of that name."""
    if name not in PROFILES:
        raise UsageError(f"there is no profile {name!r}", f"the profiles are: {', '.join(PROFILES)}")
    return PROFILES[name]


def profile_name(text: Any) -> str:
    """Return the name of a profile, which may not exist.  Raises ValueError if no profile can have it."""
    if not isinstance(text, str) or not PROFILE_NAME.fullmatch(text):
        raise ValueError("it must be the name of a profile, such as sra-v1")
    return text


def profile_option(profile: str, default: str = "sra-v1") -> str:
    """Return the option with which a command is about a profile, after a space; empty for the default profile.

    Where that is `sra-v1`, the accession of an assembly says that its signature has `genomes-v1`.
    """
    return "" if profile in (default, listed_with(default)) else f" --profile {profile}"


def folder_of(name: str) -> str:
    """Return the folder of a profile's signatures in a store or a bucket, with a slash; '' for a built-in one."""
    return "" if name in PROFILES else f"profiles/{name}/"
