"""Tests of profiles: sra-v1 has exactly the two command lines of the reference pipeline."""

from typing import Any

import pytest

from wort_cli.errors import UsageError
from wort_cli.model.profile import (
    GENOMES_V1,
    PROFILES,
    SRA_V1,
    Profile,
    folder_of,
    is_listed,
    profile_for,
    profile_named,
)

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


DEFINED = {"k": [31, 21], "scaled": 100}


def test_definition_has_defaults_of_the_recipe() -> None:
    found = Profile.from_json("fine", DEFINED)
    assert found == Profile("fine", (31, 21), 100, abundance=False, seed=42, decode_flags=SRA_V1.decode_flags)
    assert Profile.from_json("fine", found.to_json()) == found
    assert Profile.from_json("sra-v1", SRA_V1.to_json()) == SRA_V1


def test_checksum_of_a_definition_never_changes() -> None:
    """It is in the provenance of signatures."""
    assert Profile.from_json("a", DEFINED).sha256 == Profile.from_json("b", DEFINED).sha256
    assert Profile.from_json("a", DEFINED).sha256 == (
        "93a05a3167cf74162004a5e9cc20bdd0116ff3b916453ff0124a502c2e60fdea"
    )


@pytest.mark.parametrize(
    ("definition", "arguments", "stored"),
    [
        ({"k": 7, "moltype": "protein"}, "translate -p protein,k=7,scaled=100", (21,)),
        ({"k": [9], "moltype": "skipm2n3", "seed": 1}, "dna -p skipm2n3,k=9,scaled=100,seed=1", (27,)),
        ({"k": [31], "moltype": "DNA", "abund": True}, "dna -p k=31,scaled=100,abund", (31,)),
    ],
)
def test_molecule_decides_command_and_ksize(
    definition: dict[str, Any], arguments: str, stored: tuple[int, ...]
) -> None:
    found = Profile.from_json("x", {"scaled": 100, **definition})
    assert found.sourmash_arguments() == ("sketch", *arguments.split())
    assert found.stored_ksizes == stored


def test_decode_flags_are_chosen_among_those_of_the_recipe() -> None:
    found = Profile.from_json("x", {**DEFINED, "decode_flags": ["--clip", "--read-filter pass"]})
    assert found.decode_flags == tuple(word for word in SRA_V1.decode_flags if word != "--skip-technical")
    assert found.to_json()["decode_flags"] == ["--read-filter pass", "--clip"]
    assert "--split-spot" in Profile.from_json("x", {**DEFINED, "decode_flags": []}).decode_flags


@pytest.mark.parametrize(
    ("name", "definition", "why"),
    [
        ("Fine", DEFINED, "a name has at most"),
        ("../x", DEFINED, "a name has at most"),
        ("x", [], "it must be a table"),
        ("x", {"scaled": 1}, "it needs k and scaled"),
        ("x", {**DEFINED, "k": []}, "different numbers"),
        ("x", {**DEFINED, "k": [31, 31]}, "different numbers"),
        ("x", {**DEFINED, "k": [0]}, "k must be a whole number"),
        ("x", {**DEFINED, "k": True}, "k must be a whole number"),
        ("x", {**DEFINED, "scaled": 0}, "scaled must be"),
        ("x", {**DEFINED, "seed": 2**32}, "seed must be"),
        ("x", {**DEFINED, "abund": 1}, "abund must be true or false"),
        ("x", {**DEFINED, "moltype": "rna"}, "moltype must be one of"),
        ("x", {**DEFINED, "num": 5}, "it has no 'num'"),
        ("x", {**DEFINED, "decode_flags": ["-O", "/etc"]}, "decode_flags can't have '-O'"),
        ("x", {**DEFINED, "decode_flags": ["--clip", "--clip"]}, "decode_flags can't have '--clip'"),
        ("x", {**DEFINED, "decode_flags": ["--read-filter reject"]}, "decode_flags can't have '--read-filter'"),
        ("x", {**DEFINED, "decode_flags": [1]}, "must be a list of flags"),
    ],
)
def test_invalid_definition_is_refused(name: str, definition: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Profile.from_json(name, definition)


def test_assembly_has_the_profile_genomes_v1() -> None:
    assert profile_for("GCA_000005845.2", "sra-v1") == profile_for("GCA_000005845.2", "genomes-v1") == "genomes-v1"
    assert profile_for("SRR139146", "genomes-v1") == profile_for("soil", "sra-v1") == "sra-v1"
    assert profile_for("GCA_000005845.2", "fine") == "fine"


def test_list_of_the_default_profile_has_assemblies() -> None:
    assert is_listed("GCA_000005845.2", "sra-v1")
    assert is_listed("SRR139146", "sra-v1")
    assert not is_listed("SRR139146", "genomes-v1")
    assert is_listed("GCA_000005845.2", "fine")


def test_profile_of_assemblies_has_the_parameters_of_the_recipe() -> None:
    assert GENOMES_V1.sourmash_arguments() == ("sketch", "dna", "-p", "k=21,k=31,k=51,scaled=1000,abund")
    assert folder_of(GENOMES_V1.name) == ""
