"""Tests of a home that a Python program uses: real jobs in this process, on archives of the shelf."""

import gzip
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import wort_cli.api as wort
from tests.support.homes import Home as CommandHome
from tests.support.shelf import Shelf, copy_archive
from wort_cli.errors import InvalidAccession, NoSuchFile, NoSuchJob, UsageError
from wort_cli.ledger.jobs import ALL_JOBS

RUN = "SRR000001"
READS = ">a\n" + "ACGTTGCA" * 20 + "\n"


@pytest.fixture
def opened(home: CommandHome, monkeypatch: pytest.MonkeyPatch) -> Iterator[wort.Home]:
    """A home of this process, with the environment of a test's home."""
    for name, value in home.env.items():
        monkeypatch.setenv(name, value)
    with wort.open_home() as made:
        yield made


def test_run_is_computed_here_and_its_sketches_are_those_of_sourmash(
    home: CommandHome, opened: wort.Home, shelf: Shelf
) -> None:
    home.keep(RUN, shelf.archive())
    answers = opened.compute(RUN, group="soil", now=True)
    assert [(a.source.name, a.status) for a in answers] == [(RUN, wort.EnqueueStatus.QUEUED)]
    (job,) = opened.wait(answers)
    assert (job.name, job.state) == (RUN, wort.JobState.DONE)
    with opened.open(RUN) as file:
        assert gzip.decompress(file.read()) == shelf.reference(shelf.archive(), RUN)
    assert opened.signature(RUN, k=31).minhash.ksize == 31
    assert opened.signature(RUN, k=31).name == RUN
    with pytest.raises(UsageError, match="has 3 sketches"):
        opened.signature(RUN)
    with pytest.raises(UsageError, match="0 sketches with k=7"):
        opened.signature(RUN, k=7)
    assert [(one.name, one.ksizes) for one in opened.find(group="soil")] == [(RUN, (21, 31, 51))]
    assert [one.name for one in opened.find("SRR0*", trust=wort.Trust.VERIFIED)] == []
    (again,) = opened.compute(RUN)
    assert again.status is wort.EnqueueStatus.EXISTS
    assert [found.id for found in opened.wait([again])] == [job.id]
    assert home("ls", "--json").expect(0).records()[0]["name"] == RUN


def test_archives_and_reads_are_named_by_their_paths(opened: wort.Home, shelf: Shelf, tmp_path: Path) -> None:
    copy_archive(shelf.archive(), tmp_path / "soil.sra")
    pair = [tmp_path / "R1.fa", tmp_path / "R2.fa"]
    for path in pair:
        path.write_text(READS)
    answers = opened.compute(tmp_path / "soil.sra", f"{tmp_path}/R1.fa", tmp_path / "R1.fa")
    assert [answer.source.name for answer in answers] == ["soil", "R1"]
    (both,) = opened.compute(*pair, name="pair", now=True)
    assert both.source.reads is not None
    assert both.source.reads.inputs == tuple(map(str, pair))
    assert [one.name for one in opened.find()] == ["pair"]


@pytest.mark.parametrize(
    ("inputs", "name", "error"),
    [
        (("SRR1",), "", InvalidAccession),
        (("SRR000001\n",), "", InvalidAccession),
        (("-h",), "", InvalidAccession),
        ((Path("no-such.sra"),), "", NoSuchFile),
        ((RUN,), "other", UsageError),
        ((), "name", UsageError),
    ],
)
def test_one_input_that_is_none_refuses_all(
    opened: wort.Home, inputs: tuple[str | Path, ...], name: str, error: type[wort.WortError]
) -> None:
    with pytest.raises(error):
        opened.compute(*([] if name else ["SRR000002"]), *inputs, name=name)
    assert opened.ledger.jobs.ids(ALL_JOBS) == []


def test_two_inputs_of_one_name_are_refused(opened: wort.Home, shelf: Shelf, tmp_path: Path) -> None:
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        copy_archive(shelf.archive(), tmp_path / place / "x.sra")
    with pytest.raises(UsageError, match="the same name, x"):
        opened.compute(tmp_path / "a" / "x.sra", tmp_path / "b" / "x.sra")


def test_waiting_ends_with_the_time_that_was_given(opened: wort.Home) -> None:
    answers = opened.compute(RUN)
    with pytest.raises(wort.TimedOut, match="1 of 1 jobs"):
        opened.wait(answers, timeout=0)
    with pytest.raises(NoSuchJob):
        opened.wait([4711])


def test_job_runs_in_a_thread_that_opened_its_own_home(home: CommandHome, opened: wort.Home, shelf: Shelf) -> None:
    """Signals can be handled in the main thread only."""
    home.keep(RUN, shelf.archive())
    states: list[wort.JobState] = []

    def work() -> None:
        with wort.open_home(home.path) as mine:
            states.extend(job.state for job in mine.wait(mine.compute(RUN, now=True)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert states == [wort.JobState.DONE]


def test_signature_that_is_not_there_is_a_sentence(opened: wort.Home) -> None:
    with pytest.raises(UsageError, match=f"no signature of {RUN}"):
        opened.signature(RUN, k=31)
