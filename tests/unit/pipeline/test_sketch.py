"""Sketches are sourmash's, whatever the pieces and threads."""

import pytest
from sourmash import MinHash

from tests.unit.builders import random_reads
from wort_cli.pipeline import sketch
from wort_cli.pipeline.counts import Hashes
from wort_cli.pipeline.engine import ENGINES, SourmashEngine
from wort_cli.pipeline.sketch import Sketcher
from wort_cli.profile import SRA_V1, Profile
from wort_cli.settings import ENGINES as CHOICES

SMALL = Profile("small", (5, 21), 2, abundance=True, seed=42, decode_flags=())
READS = [*random_reads(60, 90), "ACGTNNACGTACGTNACGTTTGCA", "acgtacgtacgtttgca" * 3, "", "AC"]


def reference(ksize: int, profile: Profile = SMALL) -> dict[int, int]:
    """What sourmash makes of the reads one by one."""
    minhash = MinHash(n=0, ksize=ksize, scaled=profile.scaled, seed=profile.seed, track_abundance=True)
    for read in READS:
        minhash.add_sequence(read, force=True)
    return dict(minhash.hashes)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("piece", [1, 50, 1 << 20])
def test_pieces_and_threads_do_not_change_the_sketches(
    monkeypatch: pytest.MonkeyPatch, threads: int, piece: int
) -> None:
    monkeypatch.setattr(sketch, "PIECE", piece)
    with Sketcher(SMALL, SourmashEngine(SMALL), threads) as sketcher:
        for read in READS:
            sketcher.add(b"N" + read.encode())
        sketches = sketcher.finish()
    assert [made.ksize for made in sketches] == [5, 21]
    for made in sketches:
        assert made.abundances is not None
        assert made.hashes.tolist() == sorted(made.hashes.tolist())
        assert dict(zip(made.hashes.tolist(), made.abundances.tolist(), strict=True)) == reference(made.ksize)


def test_a_read_may_go_on_in_the_next_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sketch, "PIECE", 7)
    text = "".join(f"N{read}" for read in READS).encode()
    with Sketcher(SMALL, SourmashEngine(SMALL), 2) as sketcher:
        for start in range(0, len(text), 5):
            sketcher.add(text[start : start + 5])
        sketches = sketcher.finish()
    assert [len(made.hashes) for made in sketches] == [len(reference(5)), len(reference(21))]


def test_of_no_text_the_sketches_are_empty() -> None:
    with Sketcher(SRA_V1, SourmashEngine(SRA_V1), 1) as sketcher:
        sketches = sketcher.finish()
    assert [(made.ksize, made.scaled, len(made.hashes)) for made in sketches] == [
        (21, 1000, 0),
        (31, 1000, 0),
        (51, 1000, 0),
    ]


class Broken:
    """An engine that can't."""

    name = "broken"
    max_hash = 1

    def hash_text(self, text: bytes) -> list[tuple[Hashes, Hashes]]:
        raise ZeroDivisionError(len(text))


@pytest.mark.parametrize("piece", [1, 1 << 20])
def test_an_error_of_a_thread_is_not_lost(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(sketch, "PIECE", piece)

    def add_all() -> None:
        with Sketcher(SMALL, Broken(), 2) as sketcher:
            for _ in range(100):
                sketcher.add(b"NACGT")
            sketcher.finish()

    with pytest.raises(ZeroDivisionError):
        add_all()


def test_little_text_is_under_way_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sketch, "PIECE", 1)
    with Sketcher(SMALL, SourmashEngine(SMALL), 2) as sketcher:
        for read in READS:
            sketcher.add(b"N" + read.encode())
            assert len(sketcher._pending) <= 4


def test_each_engine_that_can_be_chosen_is_there() -> None:
    assert set(CHOICES) == set(ENGINES)


@pytest.mark.parametrize("scaled", [1, 2, 1000, 12345])
def test_the_threshold_is_sourmashs(scaled: int) -> None:
    profile = Profile("x", (21, 31), scaled, abundance=True, seed=42, decode_flags=())
    assert SourmashEngine(profile).max_hash == int(MinHash(n=0, ksize=21, scaled=scaled)._max_hash)
