"""Tests of profiles: sra-v1 has exactly the two command lines of the reference pipeline."""

import pytest

from wort_cli.errors import UsageError
from wort_cli.model.profile import PROFILES, SRA_V1, Profile, profile_named

FASTQ_DUMP = (
    "fastq-dump --disable-multithreading --fasta 0 --skip-technical --readids --read-filter pass --dumpbase"
    " --split-spot --clip -Z"
)
SOURMASH = "sourmash sketch dna -p k=21,k=31,k=51,scaled=1000,abund"


def test_decode_flags_are_those_of_the_reference_pipeline() -> None:
    assert ["fastq-dump", *SRA_V1.decode_flags] == FASTQ_DUMP.split()


def test_sourmash_arguments_are_those_of_the_reference_pipeline() -> None:
    assert ["sourmash", *SRA_V1.sourmash_arguments()] == SOURMASH.split()


def test_profile_without_abundance_does_not_request_it() -> None:
    flat = Profile("flat", (31,), 10, abundance=False, seed=42, decode_flags=())
    assert flat.sourmash_arguments() == ("sketch", "dna", "-p", "k=31,scaled=10")


def test_profile_is_found_by_name() -> None:
    assert all(profile_named(name) is profile and profile.name == name for name, profile in PROFILES.items())
    assert profile_named("sra-v1") is SRA_V1


@pytest.mark.parametrize("name", ["", "sra-v2", "SRA-V1", "sra-v1\n", "\x1b[2J"])
def test_unknown_profile_is_refused_with_a_list_of_profiles(name: str) -> None:
    with pytest.raises(UsageError) as refusal:
        profile_named(name)
    assert refusal.value.sentence.isprintable()
    assert "sra-v1" in refusal.value.hint
