"""A run that is decoded in slices has the same signature, and a later attempt decodes only the missing slices."""

import itertools
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from random import Random

import pytest

from tests.support.archives import build, load_illumina, reference_signature
from tests.support.homes import FASTQ_DUMP, Home
from tests.support.hung_library import hung_library
from tests.support.loaders import ILLUMINA, load_columns
from tests.support.polling import until
from tests.support.shelf import Shelf, copy_archive, gunzipped
from tests.support.simulated_spots import Read, Spot, pairs, random_bases
from wort_cli.pipeline.decoding.vdb_library import SONAME
from wort_cli.pipeline.sketching.run_sketcher import CRASH_TRIES

NAME = "sliced"
SPLIT = {"WORT_SLICE_BASES": "50000"}
STARTED = re.compile(r"\[(\d+)\] .*(?:-N (\d+) -X (\d+)|reading spots (\d+) to (\d+))")
SLICES = 8
"""The number of slices of 400,000 bases."""
SPOTS = tuple(pairs(Random(1), 300))
FAILS_ONCE = f"""
if [[ " $* " == *" -N 501 "* && ! -e "$WORT_HOME.failed" ]]; then
    touch "$WORT_HOME.failed"
    exit 1
fi
exec {FASTQ_DUMP} "$@"
"""


def started(home: Home) -> list[tuple[int, int, int]]:
    """Return the slices that were started, in order: attempt, first spot, last spot."""
    found = []
    for log in home.path.glob("logs/jobs/*/*.log"):
        for line in log.read_text(encoding="utf-8").splitlines():
            if match := STARTED.search(line):
                attempt, first, last = (int(word) for word in match.groups() if word)
                found.append((attempt, first, last))
    return found


def first_spots(home: Home, attempt: int) -> list[int]:
    """Return the first spot of each slice that an attempt decoded."""
    return [first for number, first, _ in started(home) if number == attempt]


@pytest.mark.parametrize(
    ("engine", "decoder", "used"),
    [("kernel", "auto", SONAME), ("kernel", "fastq-dump", "fastq-dump"), ("sourmash", "auto", "fastq-dump")],
)
def test_slices_add_up(home: Home, shelf: Shelf, engine: str, decoder: str, used: str) -> None:
    archive = copy_archive(shelf.archive(), home.cwd / f"{NAME}.sra")
    home("compute", archive, "--now", env={**SPLIT, "WORT_ENGINE": engine, "WORT_DECODER": decoder}).expect(0)
    assert len(first_spots(home, 1)) == SLICES
    assert home.signature(NAME) == shelf.reference(shelf.archive(), NAME)
    provenance = home("view", NAME, "--json").expect(0).records()[0]["provenance"]
    assert (provenance["slices"], provenance["engine"], provenance["decoders"]) == (SLICES, engine, [used])
    assert (provenance["spots"], provenance["reads"], provenance["bases"]) == (2000, 4000, 400_000)


def test_later_attempt_decodes_only_missing_slices(home: Home, shelf: Shelf) -> None:
    archive = copy_archive(shelf.archive(), home.cwd / f"{NAME}.sra")
    once = home.with_tool("fastq-dump", FAILS_ONCE)
    environment = {**SPLIT, **once, "WORT_THREADS": "1"}
    home("compute", archive, "--now", env=environment).expect(0)
    assert ("waiting", "tool-crash") not in home.events(NAME)  # it is not counted, because slices were finished
    first, second = first_spots(home, 1), first_spots(home, 2)
    assert first == [1, 251, 501]
    assert second == [501, 751, 1001, 1251, 1501, 1751]
    assert home.signature(NAME) == shelf.reference(shelf.archive(), NAME)


def test_slices_of_another_archive_are_ignored(home: Home, shelf: Shelf) -> None:
    """The archive is replaced between two attempts; the signature has no reads of the old one."""
    archive = copy_archive(shelf.archive(), home.cwd / f"{NAME}.sra")
    always = home.with_tool("fastq-dump", FAILS_ONCE.replace('&& ! -e "$WORT_HOME.failed"', ""))
    environment = {**SPLIT, **always, "WORT_THREADS": "1"}
    home("compute", archive, "--now", env=environment).expect(1)
    archive.unlink()
    copy_archive(shelf.archive(seed=2), archive)
    home("compute", archive, "--now", env=SPLIT).expect(0)
    assert home.signature(NAME) == shelf.reference(shelf.archive(seed=2), NAME)
    assert home("view", NAME, "--json").expect(0).records()[0]["provenance"]["slices"] == SLICES


@pytest.mark.parametrize(("decoder", "least"), [("in-process", 1), ("fastq-dump", 5)])
def test_signature_is_right_after_20_kills(home: Home, shelf: Shelf, decoder: str, least: int) -> None:
    """The process is killed at up to 20 random times; no finished slice is decoded again.

    How many of the kills come before the end depends on the machine if slices are decoded in process.  A slice of
    fastq-dump takes longer than the time until a kill.
    """
    spots, threads, kills = 100_000, 2, 20
    large = shelf.large(spots)
    archive = copy_archive(large, home.cwd / f"{NAME}.sra")
    slow = home.with_tool("fastq-dump", f'sleep 0.3\nexec {FASTQ_DUMP} "$@"') if decoder == "fastq-dump" else {}
    environment = {"WORT_SLICE_BASES": "3000000", "WORT_THREADS": str(threads), **slow}
    rng = Random(1)
    killed = int(kill_somewhere(home, archive, environment, more=0, pause=0.1))
    for _ in range(kills - 1):
        killed += kill_somewhere(home, archive, environment, more=rng.randint(0, 2), pause=rng.uniform(0, 0.2))
    home("compute", archive, "--now", env=environment).expect(0)
    assert killed >= least
    assert home.signature(NAME) == shelf.reference(large, NAME)
    assert len({(first, last) for _, first, last in started(home)}) == 10
    decoded = sum(last - first + 1 for _, first, last in started(home))
    assert decoded <= spots + killed * threads * spots // 10
    home("doctor", "--repair").expect(
        0
    )  # a process may be killed after its job has ended, before it has removed its files
    assert home.leftovers() == []


def kill_somewhere(home: Home, archive: Path, environment: dict[str, str], *, more: int, pause: float) -> bool:
    """Compute, and kill the process so many seconds after `more` further slices have started; 0 for its own start.

    Returns whether the process was killed before it had ended.
    """
    enough = len(started(home)) + more
    with home.running("compute", archive, "--now", env=environment) as command:
        until(lambda: len(started(home)) >= enough or command.process.poll() is not None)
        instant = time.monotonic() + pause
        until(lambda: time.monotonic() >= instant, pause=0.005)
        command.signal(signal.SIGKILL)
        killed = command.wait().code == -signal.SIGKILL
    home.until_idle()
    return killed


@pytest.mark.parametrize(("number", "decoder"), [(signal.SIGSEGV, "fastq-dump"), (signal.SIGKILL, SONAME)])
def test_archive_whose_reader_crashed_is_decoded_by_fastq_dump(
    home: Home, shelf: Shelf, number: signal.Signals, decoder: str
) -> None:
    """A process that was killed has not crashed: its archive is read in process again."""
    archive = copy_archive(shelf.archive(), home.cwd / f"{NAME}.sra")
    with home.running("compute", archive, "--now", env=hung_library(home.root)) as command:
        until(lambda: started(home), "the library hangs in the archive")
        command.signal(number)
        assert command.wait().code == -number
    home("compute", archive, "--now").expect(0)
    crashed = "an earlier attempt died or hung while it read the archive in its own process" in home("logs", NAME).out
    assert crashed == (decoder == "fastq-dump")
    assert home("view", NAME, "--json").expect(0).records()[0]["provenance"]["decoders"] == [decoder]
    assert home.signature(NAME) == shelf.reference(shelf.archive(), NAME)


CRASHES = f"""
if [[ " $* " == *" -N 501 "* && $(cat "$WORT_HOME.crashes" 2>/dev/null | wc -l) -lt $CRASHES ]]; then
    echo crash >> "$WORT_HOME.crashes"
    {FASTQ_DUMP} "$@" | head -c 1000
    echo "2026-11-26T23:42:09 fastq-dump.3.0.3 fatal: SIGNAL - Segmentation fault " >&2
    echo "fastq-dump quit with error code 1" >&2
    exit 1
fi
exec {FASTQ_DUMP} "$@"
"""


def test_slice_is_decoded_again_if_fastq_dump_crashes(home: Home, shelf: Shelf) -> None:
    archive = copy_archive(shelf.archive(), home.cwd / f"{NAME}.sra")
    tool = home.with_tool("fastq-dump", CRASHES.replace("$CRASHES", str(CRASH_TRIES - 1)))
    home("compute", archive, "--now", env={**SPLIT, **tool, "WORT_DECODER": "fastq-dump"}).expect(0)
    assert {attempt for attempt, _, _ in started(home)} == {1}
    assert first_spots(home, 1).count(501) == CRASH_TRIES
    assert home.signature(NAME) == shelf.reference(shelf.archive(), NAME)


def test_slice_on_which_fastq_dump_always_crashes_fails_the_job(home: Home, shelf: Shelf) -> None:
    archive = copy_archive(shelf.archive(), home.cwd / f"{NAME}.sra")
    tool = home.with_tool("fastq-dump", CRASHES.replace("$CRASHES", "1000"))
    environment = {**SPLIT, **tool, "WORT_DECODER": "fastq-dump", "WORT_THREADS": "1"}
    result = home("compute", archive, "--now", env=environment).expect(1, "Segmentation fault")
    assert home.events(NAME).count(("running", "")) == 1 + 3  # the first finished slices, and is not counted
    assert "quit with error code" not in result.err


@pytest.mark.parametrize("technical_first", [True, False])
def test_spot_with_technical_reads_only(home: Home, tmp_path: Path, technical_first: bool) -> None:
    """fastq-dump decodes the run unless that is its first spot; no attempt is made twice."""
    spots = [*pairs(Random(1), 300), Spot((Read("ACGT" * 10, technical=True),))]
    archive = build(home.cwd / f"{NAME}.sra", reversed(spots) if technical_first else spots, load_illumina)
    result = home("compute", archive, "--now", env={"WORT_SLICE_BASES": "5000"})
    if technical_first:
        result.expect(3, "technical-reads")
        assert "data not found while searching function" in home("logs", NAME).out
    else:
        result.expect(0)
        assert home.signature(NAME) == gunzipped(reference_signature(archive, NAME, tmp_path / "x.sig"))
    assert {attempt for attempt, _, _ in started(home)} == {1}


NOT_BIOLOGICAL = (Spot((Read("ACGT" * 10, technical=True, passes=False),)), Spot(()))
"""Spots that fastq-dump does not write, and for which the library cannot compute what --clip leaves of them."""


@pytest.mark.parametrize("decoder", ["auto", "fastq-dump"])
@pytest.mark.parametrize("odd", NOT_BIOLOGICAL, ids=["rejected", "without reads"])
def test_spot_without_a_biological_read_changes_the_spots_after_it(
    home: Home, tmp_path: Path, odd: Spot, decoder: str
) -> None:
    """fastq-dump clips spots after it as the spot before it.  How many of them depends on where it begins to read."""
    bases = [random_bases(Random(number), 100) for number in range(200)]
    triples = [(Spot((Read(one[:9], technical=True), Read(one[9:]))), odd, Spot((Read(one),))) for one in bases]
    spots = list(itertools.chain.from_iterable(triples))
    archive = build(home.cwd / f"{NAME}.sra", spots, partial(load_columns, columns=ILLUMINA))
    home("compute", archive, "--now", env={"WORT_SLICE_BASES": "2000", "WORT_DECODER": decoder}).expect(0)
    assert home.signature(NAME) == gunzipped(reference_signature(archive, NAME, tmp_path / "x.sig"))
    assert "no biological read" in home("logs", NAME).out


@pytest.mark.parametrize("decoder", ["auto", "fastq-dump"])
def test_rejected_spots_are_decoded_in_slices(home: Home, tmp_path: Path, decoder: str) -> None:
    spots = [spot._replace(reads=(Read("ACGT", passes=False),)) if n % 9 == 0 else spot for n, spot in enumerate(SPOTS)]
    archive = build(home.cwd / f"{NAME}.sra", spots, load_illumina)
    home("compute", archive, "--now", env={"WORT_SLICE_BASES": "5000", "WORT_DECODER": decoder}).expect(0)
    assert home.signature(NAME) == gunzipped(reference_signature(archive, NAME, tmp_path / "x.sig"))
    assert len(set(started(home))) > 2
    assert "as one slice" not in home("logs", NAME).out


WITHOUT_NUMBA = "import sys; sys.modules['numba'] = None; from wort_cli.cli import run; sys.exit(run(sys.argv[1:]))"


def test_sourmash_engine_works_without_numba(home: Home, shelf: Shelf) -> None:
    archive = copy_archive(shelf.archive(), home.cwd / f"{NAME}.sra")

    def wort(*words: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-c", WITHOUT_NUMBA, *words]
        return subprocess.run(argv, env=home.env, cwd=home.cwd, capture_output=True, text=True, check=False)

    refused = wort("compute", str(archive), "--now")
    assert refused.returncode == 1
    assert "--engine sourmash" in refused.stderr
    done = wort("compute", str(archive), "--now", "--engine", "sourmash")
    assert done.returncode == 0, done.stderr
    assert home.signature(NAME) == shelf.reference(shelf.archive(), NAME)
    assert "numba is not installed" in wort("doctor").stdout
