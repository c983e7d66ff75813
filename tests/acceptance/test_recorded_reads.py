"""The provenance says which reads the recipe leaves out, and whether bases were guessed from colours."""

from pathlib import Path
from random import Random

from tests.support.archives import build, load_illumina
from tests.support.general_loader import Row, TableRows, load_database
from tests.support.homes import Home
from tests.support.simulated_spots import Read, Spot, random_bases

SCHEMA = """version 1;
include 'sra/generic-fastq.vschema';
database TEST:solid:db #1 { table NCBI:SRA:GenericFastq:absolid #1.0.1 SEQUENCE; };
"""
COLUMNS = {
    "(INSDC:color:text)CSREAD": "B",
    "(INSDC:dna:text)CS_KEY": "B",
    "(INSDC:quality:phred)QUALITY": "B",
    "(INSDC:coord:zero)READ_START": "I",
    "(INSDC:coord:len)READ_LEN": "I",
    "(INSDC:SRA:xread_type)READ_TYPE": "B",
    "(INSDC:SRA:read_filter)READ_FILTER": "B",
    "(INSDC:SRA:platform_id)PLATFORM": "B",
}
SOLID = 3
"""The value of PLATFORM."""


def load_colours(spots: list[str], database: Path) -> None:
    """Load reads of colours with general-loader."""
    schema = database.with_suffix(".vschema")
    schema.write_text(SCHEMA)
    rows: list[Row] = [
        {
            "CSREAD": colours.encode(),
            "CS_KEY": b"T",
            "QUALITY": bytes([30]) * len(colours),
            "READ_START": [0],
            "READ_LEN": [len(colours)],
            "READ_TYPE": [1],
            "READ_FILTER": [0],
            "PLATFORM": [SOLID],
        }
        for colours in spots
    ]
    load_database(schema, "TEST:solid:db", [TableRows("SEQUENCE", COLUMNS, rows)], database)


def test_reads_after_the_eighth_of_a_spot_are_recorded(home: Home, tmp_path: Path) -> None:
    rng = Random(1)
    spots = [Spot(tuple(Read(random_bases(rng, 100)) for _ in range(reads))) for reads in (2, 8, 9, 12) * 20]
    archive = build(tmp_path / "many.sra", spots, load_illumina)
    home("compute", str(archive), "--now").expect(0)
    provenance = home("view", "many", "--json").records()[0]["provenance"]
    assert provenance["reads_left_out"] == (1 + 4) * 20
    assert provenance["reads"] == (2 + 8 + 8 + 8) * 20
    assert provenance["colour_space"] is False


def test_bases_that_were_guessed_from_colours_are_recorded(home: Home, tmp_path: Path) -> None:
    rng = Random(2)
    spots = ["".join(rng.choices("0123", k=200)) for _ in range(300)]
    archive = build(tmp_path / "solid.sra", [], lambda _, database: load_colours(spots, database))
    home("compute", str(archive), "--now").expect(0)
    provenance = home("view", "solid", "--json").records()[0]["provenance"]
    assert provenance["colour_space"] is True
    assert provenance["reads_left_out"] is None
    assert provenance["decoders"] == ["fastq-dump"]
