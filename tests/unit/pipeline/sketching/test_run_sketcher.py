"""RunSketcher makes the same sketches as sourmash, for any slices, text sizes and threads, and stops on errors."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sourmash import MinHash

from tests.support.builders import eventually, random_reads
from tests.support.fake_decoders import FakeArchive, FakeFastqDump, decoder_of, fasta_of, sketched
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.profile import SRA_V1, Profile
from wort_cli.model.signature_file import Sketch
from wort_cli.pipeline.decoding import fastq_dump
from wort_cli.pipeline.sketching import loops, run_sketcher
from wort_cli.pipeline.sketching.columns import columns_of
from wort_cli.pipeline.sketching.engine import ENGINES, FastaReader, SourmashEngine
from wort_cli.pipeline.sketching.python_fasta import PythonFastaReader
from wort_cli.pipeline.sketching.read_stats import ReadStats
from wort_cli.pipeline.sketching.run_sketcher import RunSketcher
from wort_cli.pipeline.sketching.slice_decoder import DecoderCounts, Text
from wort_cli.pipeline.sketching.slices import Hashes, Slice, SliceStore
from wort_cli.setting_fields import ENGINES as CHOICES
from wort_cli.system.cancellation import NEVER, Cancellation, Cancelled
from wort_cli.system.stuck_threads import stuck_threads

SMALL = Profile("small", (5, 21), 2, abundance=True, seed=42, decode_flags=())
READS = [*random_reads(60, 90), "ACGTNNACGTACGTNACGTTTGCA", "acgtacgtacgtttgca" * 3, "", "AC"]
INPUTS = {"source": "a", "profile": "small"}


def reference(ksize: int, profile: Profile = SMALL) -> dict[int, int]:
    """Return the hash counts of sourmash, which gets the reads one by one."""
    minhash = MinHash(n=0, ksize=ksize, scaled=profile.scaled, seed=profile.seed, track_abundance=True)
    for read in READS:
        minhash.add_sequence(read, force=True)
    return dict(minhash.hashes)


def assert_equal_to_sourmash(sketches: tuple[Sketch, ...]) -> None:
    assert [made.ksize for made in sketches] == [5, 21]
    for made in sketches:
        assert made.abundances is not None
        assert made.hashes.tolist() == sorted(made.hashes.tolist())
        assert dict(zip(made.hashes.tolist(), made.abundances.tolist(), strict=True)) == reference(made.ksize)


def ignore(stats: ReadStats) -> None:
    """Ignore a report."""


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("slices", [1, 2, 7, len(READS)])
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 50, 1 << 20])
def test_slices_threads_and_text_size_do_not_change_sketches(
    monkeypatch: pytest.MonkeyPatch, engine: str, slices: int, threads: int, size: int
) -> None:
    monkeypatch.setattr(fastq_dump, "TEXT_SIZE", size)
    assert_equal_to_sourmash(sketched(READS, SMALL, ENGINES[engine](SMALL), threads, slices))


@pytest.mark.parametrize("engine", ENGINES)
def test_read_longer_than_text_size_is_not_cut(monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    monkeypatch.setattr(fastq_dump, "TEXT_SIZE", 7)
    assert_equal_to_sourmash(sketched(READS, SMALL, ENGINES[engine](SMALL), 2, chunk=5))


@pytest.mark.parametrize("engine", ENGINES)
def test_no_reads_make_empty_sketches(engine: str) -> None:
    archive = FakeArchive([])
    sketcher = archive.sketcher([Slice(1, 0)], SRA_V1, ENGINES[engine](SRA_V1))
    sketcher.run(1, NEVER, ignore)
    assert [(made.ksize, made.scaled, len(made.hashes)) for made in sketcher.sketches()] == [
        (21, 1000, 0),
        (31, 1000, 0),
        (51, 1000, 0),
    ]
    assert sketcher.stats() == ReadStats(0, 0, 0, 0)


@pytest.mark.parametrize("slices", [1, 5])
def test_stats_are_the_total_of_all_slices(slices: int) -> None:
    archive = FakeArchive(READS)
    sketcher = archive.sketcher(archive.slices(slices), SMALL, SourmashEngine(SMALL))
    reports: list[ReadStats] = []
    sketcher.run(2, NEVER, reports.append)
    whole = ReadStats(len(READS), len(READS), sum(map(len, READS)), max(map(len, READS)))
    assert sketcher.stats() == whole == reports[-1]
    assert len(archive.decoded) == slices
    assert [report.spots for report in reports] == sorted(report.spots for report in reports)


@pytest.mark.parametrize("engine", ENGINES)
def test_finished_slices_of_earlier_attempt_are_not_decoded_again(tmp_path: Path, engine: str) -> None:
    store, archive = SliceStore(tmp_path, INPUTS), FakeArchive(READS)
    slices = archive.slices(5)
    first = archive.sketcher(slices[:3], SMALL, ENGINES[engine](SMALL), store)
    first.run(2, NEVER, ignore)
    assert sorted(archive.decoded, key=slices.index) == list(slices[:3])

    archive.decoded.clear()
    second = archive.sketcher(slices, SMALL, ENGINES[engine](SMALL), store)
    second.run(2, NEVER, ignore)
    assert sorted(archive.decoded, key=slices.index) == list(slices[3:])
    assert_equal_to_sourmash(second.sketches())
    assert second.stats() == ReadStats(len(READS), len(READS), sum(map(len, READS)), max(map(len, READS)))

    archive.decoded.clear()
    third = archive.sketcher(slices, SMALL, ENGINES[engine](SMALL), store)
    third.run(2, NEVER, ignore)
    assert archive.decoded == []
    assert_equal_to_sourmash(third.sketches())


def test_slices_of_another_archive_are_decoded_again(tmp_path: Path) -> None:
    archive = FakeArchive(READS)
    slices = archive.slices(3)
    for inputs in (INPUTS, {**INPUTS, "source": "b"}):
        archive.decoded.clear()
        sketcher = archive.sketcher(slices, SMALL, SourmashEngine(SMALL), SliceStore(tmp_path, inputs))
        sketcher.run(1, NEVER, ignore)
        assert archive.decoded == list(slices)
        assert_equal_to_sourmash(sketcher.sketches())


def sketcher_of(slices: tuple[Slice, ...], start: Callable[[Slice], object], store: SliceStore | None) -> RunSketcher:
    """Return a sketcher whose decoders read what `start` returns, a FakeFastqDump."""
    engine = SourmashEngine(SMALL)
    return RunSketcher(slices, store, [lambda part: decoder_of(start(part), engine)], SMALL, engine)


@pytest.mark.parametrize(("less_read", "less_written"), [(1, 0), (0, 1), (-1, 0), (0, -1)])
def test_incomplete_slice_fails_the_job_and_is_not_saved(tmp_path: Path, less_read: int, less_written: int) -> None:
    slices = FakeArchive(READS).slices(3)

    def start(part: Slice) -> FakeFastqDump:
        stream = fasta_of(part.first, READS[part.first - 1 : part.last])
        wrong = part == slices[1]
        return FakeFastqDump(
            stream, 100, DecoderCounts(part.spots - less_read * wrong, part.spots - less_written * wrong)
        )

    sketcher = sketcher_of(slices, start, SliceStore(tmp_path, INPUTS))
    with pytest.raises(JobFailed) as failure:
        sketcher.run(1, NEVER, ignore)
    assert failure.value.failure.reason is Reason.INCOMPLETE
    assert SliceStore(tmp_path, INPUTS).load(slices[0]) is not None
    assert SliceStore(tmp_path, INPUTS).load(slices[1]) is None


class Blocked(FakeFastqDump):
    """A fastq-dump that writes nothing until it is cancelled."""

    def __init__(self) -> None:
        super().__init__(b"", 1, DecoderCounts(0, 0))

    def chunks(self, cancellation: Cancellation) -> Iterator[bytes]:
        while not cancellation.requested():
            threading.Event().wait(0.01)
            yield b""
        raise Cancelled


def test_cancelled_job_stops_all_threads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(run_sketcher, "REPORT_INTERVAL", 0.01)
    before = threading.active_count()
    sketcher = sketcher_of(FakeArchive(READS).slices(5), lambda part: Blocked(), SliceStore(tmp_path, INPUTS))
    with pytest.raises(Cancelled):
        sketcher.run(2, Cancellation(lambda: True), ignore)
    assert threading.active_count() == before
    assert list(tmp_path.iterdir()) == []


def test_failed_slice_stops_the_others(tmp_path: Path) -> None:
    slices = FakeArchive(READS).slices(5)

    def start(part: Slice) -> FakeFastqDump:
        return FakeFastqDump(b">what\n", 100, DecoderCounts(0, 0)) if part == slices[1] else Blocked()

    before = threading.active_count()
    with pytest.raises(JobFailed, match="unknown header"):
        sketcher_of(slices, start, SliceStore(tmp_path, INPUTS)).run(2, NEVER, ignore)
    assert threading.active_count() == before
    assert list(tmp_path.iterdir()) == []


def test_thread_that_is_left_behind_writes_nothing_later(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It hangs while the job is tried again elsewhere, which ends and removes the workspace; then it continues."""
    monkeypatch.setattr(run_sketcher, "REPORT_INTERVAL", 0.01)
    goes_on = threading.Event()

    class Hung(FakeFastqDump):
        def chunks(self, cancellation: Cancellation) -> Iterator[bytes]:
            goes_on.wait(60)
            yield self.stream

    slices, engine = FakeArchive(READS).slices(1), SourmashEngine(SMALL)
    hung = Hung(fasta_of(1, READS), 100, DecoderCounts(len(READS), len(READS)))
    store = SliceStore(tmp_path / "7" / "slices", INPUTS)
    timeouts = run_sketcher.SketchTimeouts(stall=0.1)
    sketcher = RunSketcher(slices, store, [lambda part: decoder_of(hung, engine)], SMALL, engine, timeouts)
    before = set(threading.enumerate())
    with pytest.raises(JobFailed, match="no spot was read"):
        sketcher.run(1, NEVER, ignore)
    (left,) = set(threading.enumerate()) - before
    goes_on.set()
    left.join(30)
    assert list(tmp_path.iterdir()) == []


def test_slice_that_waits_for_loops_to_be_compiled_does_not_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine compiling may take longer than a stall; each new attempt would only begin it again."""
    monkeypatch.setattr(run_sketcher, "REPORT_INTERVAL", 0.01)
    monkeypatch.setattr(loops, "being_loaded", {"kernel_loops"})
    reports: list[ReadStats] = []

    class Waiting(FakeFastqDump):
        def chunks(self, cancellation: Cancellation) -> Iterator[bytes]:
            assert eventually(lambda: len(reports) > 10)
            yield from super().chunks(cancellation)

    engine, timeouts = SourmashEngine(SMALL), run_sketcher.SketchTimeouts(stall=0.02)
    waiting = Waiting(fasta_of(1, READS), 100, DecoderCounts(len(READS), len(READS)))
    slices = FakeArchive(READS).slices(1)
    sketcher = RunSketcher(slices, None, [lambda part: decoder_of(waiting, engine)], SMALL, engine, timeouts)
    sketcher.run(1, NEVER, reports.append)
    assert_equal_to_sourmash(sketcher.sketches())


def test_loops_are_known_to_be_loaded_while_that_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[str]] = []
    made = loops.Loops("a.module", "an.owner")
    monkeypatch.setattr(made, "_load", lambda: seen.append(set(loops.being_loaded)))
    made.load()
    assert seen == [{*loops.being_loaded, "a.module"}]
    assert "a.module" not in loops.being_loaded


def test_loops_are_known_to_be_compiled_while_that_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[str]] = []
    made = loops.Loops("a.module", "an.owner")
    monkeypatch.setattr(loops, "find_spec", lambda _: True)
    monkeypatch.setattr(made, "code", lambda: None)
    monkeypatch.setattr(made, "use", lambda _: None)
    monkeypatch.setattr(made, "_compile", lambda: seen.append(set(loops.being_compiled)))
    monkeypatch.setattr(made, "_file_name", lambda: "x")
    monkeypatch.setattr(loops, "save_code", lambda *_: None)
    monkeypatch.setattr(loops, "one_compilation", lambda _: contextlib.nullcontext())
    made.load()
    assert seen == [{*loops.being_compiled, "a.module"}]
    assert "a.module" not in loops.being_compiled


def test_slice_that_hangs_and_takes_too_long_fails_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_sketcher, "REPORT_INTERVAL", 0.01)
    monkeypatch.setattr(run_sketcher, "END_WITHIN", 0.05)
    goes_on = threading.Event()

    class Hung(FakeFastqDump):
        def chunks(self, cancellation: Cancellation) -> Iterator[bytes]:
            goes_on.wait(60)
            raise Cancelled

    engine, timeouts = SourmashEngine(SMALL), run_sketcher.SketchTimeouts(slice=0.1)
    hung = Hung(b"", 100, DecoderCounts(0, 0))
    slices = FakeArchive(READS).slices(1)
    sketcher = RunSketcher(slices, None, [lambda part: decoder_of(hung, engine)], SMALL, engine, timeouts)
    with pytest.raises(JobFailed, match="took longer than"):
        sketcher.run(1, NEVER, ignore)
    assert stuck_threads.exist()
    goes_on.set()
    assert eventually(lambda: not stuck_threads.exist())


class BrokenEngine:
    """An engine that fails."""

    name = "broken"
    columns = columns_of(SMALL)
    needs_whole_reads = False

    def fasta_reader(self) -> FastaReader:
        return PythonFastaReader()

    def hash_text(self, text: Text) -> list[Hashes]:
        raise ZeroDivisionError(len(text))


@pytest.mark.parametrize("size", [1, 1 << 20])
@pytest.mark.parametrize("slices", [1, 4])
def test_error_in_a_thread_is_raised(monkeypatch: pytest.MonkeyPatch, size: int, slices: int) -> None:
    monkeypatch.setattr(fastq_dump, "TEXT_SIZE", size)
    with pytest.raises(ZeroDivisionError):
        sketched(READS, SMALL, BrokenEngine(), 2, slices)


class RecordingEngine(SourmashEngine):
    """An engine that records the size of the longest text."""

    longest = 0

    def hash_text(self, text: Text) -> list[Hashes]:
        self.longest = max(self.longest, len(text))
        return super().hash_text(text)


def test_texts_are_about_as_long_as_text_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastq_dump, "TEXT_SIZE", 1)
    engine = RecordingEngine(SMALL)
    assert_equal_to_sourmash(sketched(READS, SMALL, engine, 2))
    assert 90 <= engine.longest <= 100 + 2 * 91


def test_engines_are_those_of_the_setting() -> None:
    assert set(CHOICES) == set(ENGINES)


@pytest.mark.parametrize("scaled", [1, 2, 1000, 12345])
def test_max_hash_equals_that_of_sourmash(scaled: int) -> None:
    assert replace(SMALL, scaled=scaled).max_hash == int(MinHash(n=0, ksize=21, scaled=scaled)._max_hash)
