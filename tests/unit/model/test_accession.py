"""Tests of the parsing of accessions and local names."""

from pathlib import Path

import pytest

from wort_cli.errors import ExitCode, InvalidAccession, InvalidName
from wort_cli.model.accession import Accession, AssemblyAccession, LocalName, name_in, parse_name

RUNS = ["SRR139146", "ERR000001", "DRR999999999"]
HOSTILE = [
    "",
    "-h",
    "--help",
    "--",
    "../x",
    "/etc/passwd",
    "a b",
    "SRR1;ls",
    "SRR139146;ls",
    "$(SRR139146)",
    "SRR139146\n",
    "\nSRR139146",
    "SRR139146\r\n",
    "SRR139146\nSRR139147",
    "SRR139146 SRR139147",
    " SRR139146",
    "SRR139146\t",
    "SRR139146\0",
    "\0SRR139146",
    "SRR139146/../x",
    "file:///SRR139146",
    "http://127.0.0.1/SRR139146.sra",
    "SRR١٣٩١٤٦",
    "SRR１３９１４６",
    "ＳＲＲ139146",
    "ſRR139146",
    "SRR139146\u200b",
    "SRR139146\u202e",
    "srr139146",
    "Srr139146",
    "SRR12345",
    "SRR1234567890",
    "XRR139146",
    "SRX139146",
    "SRR139146" * 1138,
    "-" * 10_240,
    "\x1b[2J" * 2560,
    "\U0010ffff" * 10_240,
    "\udcff",
]


@pytest.mark.parametrize("text", RUNS)
def test_run_accession_is_parsed_unchanged(text: str) -> None:
    assert Accession.parse(text) == text
    assert isinstance(parse_name(text), Accession)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_other_text_is_refused_with_a_short_printable_message(text: str) -> None:
    with pytest.raises(InvalidAccession) as refusal:
        Accession.parse(text)
    error = refusal.value
    assert error.exit_code is ExitCode.USAGE
    assert error.text == text
    assert error.hint
    for text_shown in (error.sentence, error.hint, str(error)):
        assert text_shown.isprintable()
        assert len(text_shown) < 700


@pytest.mark.parametrize("text", ["x" * 10_240, "x" * 61, "\n" * 10_240])
def test_message_about_a_long_text_is_short(text: str) -> None:
    with pytest.raises(InvalidAccession) as refusal:
        Accession.parse(text)
    assert len(refusal.value.sentence) < 200


@pytest.mark.parametrize("text", ["srr139146", "Srr139146", " SRR139146", "SRR139146\n", "sRr139146\r\n"])
def test_lower_case_and_surrounding_blanks_are_refused_with_a_correction_as_hint(text: str) -> None:
    with pytest.raises(InvalidAccession) as refusal:
        Accession.parse(text)
    assert refusal.value.hint == "did you mean SRR139146?"


@pytest.mark.parametrize("text", ["ſRR139146", "SRR１３９１４６", "ＳＲＲ139146"])
def test_characters_of_other_scripts_get_no_correction_as_hint(text: str) -> None:
    with pytest.raises(InvalidAccession) as refusal:
        Accession.parse(text)
    assert "did you mean" not in refusal.value.hint


@pytest.mark.parametrize("text", ["SRX139146", "SRP012345", "ERS000001", "DRZ000001", "PRJNA12345", "SAMN01234567"])
def test_hint_for_a_study_sample_or_experiment_asks_for_runs(text: str) -> None:
    with pytest.raises(InvalidAccession) as refusal:
        Accession.parse(text)
    assert "runs" in refusal.value.hint


@pytest.mark.parametrize("text", ["a", "0", "sample-1.2_x", "a" * 100, "srr139146", "x..y", "SRX139146"])
def test_safe_name_is_a_local_name(text: str) -> None:
    name = parse_name(text)
    assert isinstance(name, LocalName)
    assert name == text
    assert (Path("/root") / f"{name}.sig").resolve().parent == Path("/root")


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", ".hidden", "-h", "_x", "a/b", "../x", "a b", "a\n", "a\0", "é", "a" * 101, "a" * 10_240, "x;ls"],
    ids=lambda text: ascii(text)[:30],
)
def test_name_that_could_leave_its_directory_or_be_an_option_is_refused(text: str) -> None:
    with pytest.raises(InvalidName) as refusal:
        parse_name(text)
    assert refusal.value.exit_code is ExitCode.USAGE
    assert refusal.value.sentence.isprintable()
    assert len(refusal.value.sentence) < 200
    assert "--name" in refusal.value.hint


@pytest.mark.parametrize("text", ["GCA_000005845.2", "GCF_000005845.12", "GCA_999999999.999"])
def test_assembly_accession_is_parsed_unchanged(text: str) -> None:
    found = AssemblyAccession.parse(text)
    assert found == text
    assert isinstance(parse_name(text), AssemblyAccession)
    assert (found.number, found.version) == (text[4:13], int(text.partition(".")[2]))


@pytest.mark.parametrize(
    "text", ["GCA_000005845", "GCA_000005845.0", "GCA_00000584.2", "GCB_000005845.2", "GCA_000005845.2\n", "SRR139146"]
)
def test_other_texts_are_no_assemblies(text: str) -> None:
    with pytest.raises(InvalidAccession, match="is not the accession of an assembly"):
        AssemblyAccession.parse(text)


def test_missing_version_is_said() -> None:
    with pytest.raises(InvalidAccession) as raised:
        AssemblyAccession.parse("GCA_000005845")
    assert "the version is missing" in raised.value.hint
    with pytest.raises(InvalidAccession) as raised:
        Accession.parse("GCA_000005845.2")
    assert "this is an assembly" in raised.value.hint


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("GCA_000005845.2 Escherichia coli na, ASM584v2", "GCA_000005845.2"),
        ("GCA_000005845.2", "GCA_000005845.2"),
        ("GCA_000005845 Escherichia coli", "GCA_000005845 Escherichia coli"),
        ("SRR139146 soil", "SRR139146 soil"),
        ("", ""),
    ],
)
def test_name_of_a_signature_is_the_accession_of_its_assembly(title: str, name: str) -> None:
    assert name_in(title) == name
