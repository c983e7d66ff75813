"""Properties of profiles: each molecule has the bytes of sourmash, and profiles of one pass those of their own."""

import gzip
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.fake_decoders import FakeArchive, fasta_of, sketched
from tests.support.sourmash_sketch import sketch
from wort_cli.model.profile import MOLTYPES, SRA_V1, Profile
from wort_cli.model.signature_file import Sketch, digest
from wort_cli.pipeline.seal import write_signature
from wort_cli.pipeline.sketching.engine import ENGINES, engine_of
from wort_cli.system.cancellation import NEVER

READS = st.lists(st.text("ACGTacgtN", min_size=0, max_size=160), min_size=1, max_size=6)
SCALED = st.sampled_from([1, 2, 3, 7])
SEEDS = st.sampled_from([42, 7, 2**32 - 1])


def profiles(moltype: str) -> st.SearchStrategy[Profile]:
    """Return profiles of a molecule."""
    longest = 60 if moltype == "dna" else 12
    ksizes = st.lists(st.integers(2, longest), min_size=1, max_size=3, unique=True)
    return st.builds(
        lambda k, scaled, abund, seed: Profile.from_json(
            "x", {"k": k, "scaled": scaled, "abund": abund, "seed": seed, "moltype": moltype}
        ),
        ksizes,
        SCALED,
        st.booleans(),
        SEEDS,
    )


def written(sketches: tuple[Sketch, ...]) -> bytes:
    """Return the signature of sketches as wort writes it, without gzip."""
    file = io.BytesIO()
    write_signature("X", sketches, file)
    return gzip.decompress(file.getvalue())


@pytest.mark.parametrize("moltype", MOLTYPES)
@given(data=st.data(), reads=READS, threads=st.integers(1, 2), slices=st.integers(1, 3), chunk=st.integers(1, 300))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_signature_of_each_molecule_has_the_bytes_of_sourmash(
    tmp_path: Path, moltype: str, data: st.DataObject, reads: list[str], threads: int, slices: int, chunk: int
) -> None:
    profile = data.draw(profiles(moltype))
    sketches = sketched(reads, profile, engine_of("kernel", profile), threads, slices, chunk)
    fasta = tmp_path / "reads.fa"
    fasta.write_bytes(fasta_of(1, reads))
    assert written(sketches) == sketch(profile, fasta, "X")


@pytest.mark.parametrize("engine", ENGINES)
@given(some=st.lists(st.sampled_from(list(MOLTYPES)).flatmap(profiles), min_size=2, max_size=4), reads=READS)
@settings(max_examples=20, deadline=None)
def test_profiles_of_one_pass_have_the_sketches_of_their_own_passes(
    engine: str, some: list[Profile], reads: list[str]
) -> None:
    archive = FakeArchive(reads)
    shared = archive.sketcher(archive.slices(2), some[0], engine_of(engine, *some))
    shared.run(1, NEVER, lambda _: None)
    for profile in some:
        alone = sketched(reads, profile, engine_of(engine, profile))
        assert digest(shared.sketches(profile)) == digest(alone)
        assert [s.abundances is None for s in shared.sketches(profile)] == [s.abundances is None for s in alone]


def test_profiles_of_one_pass_share_what_they_have_in_common() -> None:
    fine = Profile.from_json("fine", {"k": [31, 25], "scaled": 10})
    engine = engine_of("kernel", SRA_V1, fine)
    assert [column.ksize for column in engine.columns] == [21, 31, 51, 25]
