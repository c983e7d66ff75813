"""Profiles: the named parameter sets of signatures.  A profile never changes; other parameters get another name."""

from dataclasses import dataclass

from wort_cli.errors import UsageError


def max_hash_for_scaled(scaled: int) -> int:
    """Return the largest hash that a sketch keeps, in floating point as sourmash computes it (sketch/minhash.rs)."""
    return 2**64 - 1 if scaled == 1 else int(2**64 / scaled)


@dataclass(frozen=True)
class Profile:
    """The parameters of a signature, which has one sketch for each of `ksizes`."""

    name: str
    ksizes: tuple[int, ...]
    scaled: int
    """A sketch keeps one in `scaled` of all hashes."""
    abundance: bool
    seed: int
    decode_flags: tuple[str, ...]
    """The flags of fastq-dump that go before the source."""

    @property
    def max_hash(self) -> int:
        """The largest hash that a sketch keeps."""
        return max_hash_for_scaled(self.scaled)

    def sourmash_arguments(self) -> tuple[str, ...]:
        """Return the arguments with which `sourmash sketch` computes the same signature."""
        parameters = [*(f"k={k}" for k in self.ksizes), f"scaled={self.scaled}", *(["abund"] if self.abundance else [])]
        return ("sketch", "dna", "-p", ",".join(parameters))


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

PROFILES = {SRA_V1.name: SRA_V1}


def profile_named(name: str) -> Profile:
    """Return the profile of a name.  Raises UsageError, which lists all profiles, if there is none."""
    if name not in PROFILES:
        raise UsageError(f"there is no profile {name!r}", f"the profiles are: {', '.join(PROFILES)}")
    return PROFILES[name]
