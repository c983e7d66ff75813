"""An archive is obtained only if it is undamaged; how it was identified as the run's is recorded.

Everything here happens in a network in memory; tests/damages draws thousands of such cases at random.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.damages.network import Host, MemoryClient, Network
from tests.support.kar_files import kar_archive
from tests.support.locator_answers import answer, file_entry, run_entry
from tests.unit.pipeline.archives.test_structure import column, database, with_sums
from wort_cli.model.accession import Accession
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.archives.columns import FASTQ_DUMP
from wort_cli.pipeline.archives.kar import read_table
from wort_cli.pipeline.archives.obtain import Obtained, Obtainer, ProvedBy
from wort_cli.pipeline.archives.offer import Wish
from wort_cli.pipeline.archives.partial import Identity, PartialArchive
from wort_cli.pipeline.archives.politeness import Politeness
from wort_cli.system.cancellation import NEVER

RUN = Accession("SRR000001")
LARGE = 400_000
"""Bytes of the needed data: more than the head, less than four fifths of the archive."""


def archive(text: bytes = b"ACGT", **columns: Any) -> bytes:
    """Return an archive that its sums can prove, and whose qualities are not needed."""
    read = {**column(), "data": text * (LARGE // 4)}
    del read["md5"]
    chosen = {"READ": with_sums(read), "QUALITY": column(2 * LARGE), **columns}
    return kar_archive(database(**chosen), alignment=4)


DATA = archive()
TABLE = read_table(DATA, len(DATA))
READ = TABLE["tbl/SEQUENCE/col/READ/data"]
SUMS = TABLE["tbl/SEQUENCE/col/READ/md5"]


def flip(place: int) -> Callable[[bytes, int], bytes]:
    """Return a damage of one bit."""

    def change(body: bytes, first: int) -> bytes:
        at = place - first
        return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :] if 0 <= at < len(body) else body

    return change


def obtain(
    root: Path,
    hosts: Mapping[str, Host],
    named: str = "a",
    mirrors: str = "",
    *,
    locator: bool = True,
    md5: bool = True,
    whole: bool = False,
    scheme: str = "https",
) -> tuple[Obtained, Network]:
    """Obtain DATA; each letter of `named` is a location of the locator, each of `mirrors` a mirror."""
    entry = file_entry(RUN, DATA, [f"{scheme}://{name}/{RUN}" for name in named])
    if not md5:
        entry["md5"] = ""
    network = Network(hosts, answer(run_entry(RUN, entry)) if locator else None)
    templates = tuple(f"https://{name}/{{run}}" for name in mirrors)
    wish = Wish(RUN, FASTQ_DUMP, whole=whole, locator_url="https://locator/sdl", mirrors=templates)
    obtainer = Obtainer(MemoryClient(network), Politeness(root / "rates", 2), NEVER, lambda text: None)
    obtained = obtainer.obtain(wish, root / "archive")
    content = obtained.path.read_bytes()
    table = read_table(content, len(content))
    assert table == TABLE
    assert content[READ.offset : READ.end] == DATA[READ.offset : READ.end]
    return obtained, network


def reason(root: Path, *arguments: Any, **options: Any) -> Reason:
    """Return why there is no archive."""
    with pytest.raises(JobFailed) as failed:
        obtain(root, *arguments, **options)
    return failed.value.failure.reason


# ---- Damage


PLACES = {
    "header": 10,
    "table of contents": 60,
    "size of the table": 16,
    "sum": SUMS.offset + 3,
    "name in the sums": SUMS.offset + 40,
    "schema": TABLE["tbl/SEQUENCE/md/cur"].offset + 5,
    "data": READ.offset + 200_000,
}


@pytest.mark.parametrize("place", PLACES)
def test_damage_of_one_answer_is_cured_by_the_same_location(tmp_path: Path, place: str) -> None:
    obtained, network = obtain(tmp_path, {"a": Host(DATA, flip(PLACES[place]), times=1)})
    assert obtained.proof.identified
    assert obtained.proof.by is ProvedBy.COLUMN_SUMS
    assert sum(host.sent for host in network.hosts.values()) < len(DATA)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("places", [("ab", ""), ("a", "b")], ids=["location", "mirror"])
def test_damage_of_one_location_is_cured_by_the_next(tmp_path: Path, place: str, places: tuple[str, str]) -> None:
    obtained, _ = obtain(tmp_path, {"a": Host(DATA, flip(PLACES[place])), "b": Host(DATA)}, *places)
    assert obtained.proof.identified
    assert obtained.proof.url.startswith("https://b/")


def test_sum_that_was_damaged_is_fetched_again_without_its_data(tmp_path: Path) -> None:
    hosts = {"a": Host(DATA, flip(PLACES["sum"]), times=1)}
    obtain(tmp_path, hosts)
    assert hosts["a"].sent < LARGE + 3 * (1 << 17)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("whole", [False, True])
def test_damage_of_all_locations_is_reported(tmp_path: Path, place: str, whole: bool) -> None:
    hosts = {name: Host(DATA, flip(PLACES[place])) for name in "ab"}
    assert reason(tmp_path, hosts, "a", "b", whole=whole) is Reason.CORRUPT


@pytest.mark.parametrize("place", ["sum", "data"])
def test_damage_is_found_without_an_md5_of_the_whole(tmp_path: Path, place: str) -> None:
    hosts = {name: Host(DATA, flip(PLACES[place])) for name in "ab"}
    assert reason(tmp_path, hosts, "a", "b", md5=False) is Reason.CORRUPT


def test_archive_that_nothing_proves_is_refused(tmp_path: Path) -> None:
    assert reason(tmp_path, {"a": Host(DATA, flip(PLACES["schema"]))}, "a", md5=False) is Reason.UNPROVABLE


def test_data_that_contradict_their_sums_wherever_they_are_come_from_a_damaged_archive(tmp_path: Path) -> None:
    wrong = bytearray(DATA)
    wrong[READ.offset] ^= 1
    entry = file_entry(RUN, bytes(wrong), [f"https://a/{RUN}"])
    network = Network({"a": Host(bytes(wrong))}, answer(run_entry(RUN, entry)))
    for whole in (False, True):
        wish = Wish(RUN, FASTQ_DUMP, whole=whole, locator_url="https://locator/sdl")
        obtainer = Obtainer(MemoryClient(network), Politeness(tmp_path / "rates"), NEVER, lambda text: None)
        with pytest.raises(JobFailed, match=r"READ/data of SRR[0-9]+ does not match its md5 sum"):
            obtainer.obtain(wish, tmp_path / "archive")


# ---- Identity: is it the archive of the run?


def test_head_of_a_named_location_identifies_the_columns(tmp_path: Path) -> None:
    obtained, network = obtain(tmp_path, {"a": Host(DATA)})
    assert (obtained.proof.by, obtained.proof.identified) == (ProvedBy.COLUMN_SUMS, True)
    assert obtained.md5 == file_entry(RUN, DATA, [])["md5"]
    assert network.hosts["a"].sent < len(DATA) / 2


def test_mirror_completes_what_a_location_began(tmp_path: Path) -> None:
    """The location serves the head; the mirror agrees with it, so the columns of the mirror are accepted."""
    hosts = {"a": Host(DATA, refuses=PLACES["data"]), "m": Host(DATA)}
    obtained, _ = obtain(tmp_path, hosts, "a", "m")
    assert (obtained.proof.by, obtained.proof.identified) == (ProvedBy.COLUMN_SUMS, True)
    assert obtained.proof.url == f"https://m/{RUN}"


def test_mirror_with_another_size_is_not_used(tmp_path: Path) -> None:
    hosts = {"a": Host(DATA, status=503), "m": Host(DATA + b"1234")}
    assert reason(tmp_path, hosts, "a", "m") is Reason.NETWORK
    assert hosts["m"].asked <= 2


def test_mirror_with_another_head_is_not_asked_for_data(tmp_path: Path) -> None:
    other = archive(b"TTTT")
    assert len(other) == len(DATA)
    hosts = {"a": Host(DATA, refuses=PLACES["data"]), "m": Host(other)}
    assert reason(tmp_path, hosts, "a", "m") is Reason.NETWORK
    assert hosts["m"].sent < 1 << 17


def test_head_of_a_mirror_identifies_nothing_so_the_whole_is_compared_with_the_md5(tmp_path: Path) -> None:
    hosts = {"a": Host(DATA, status=503), "m": Host(DATA)}
    obtained, _ = obtain(tmp_path, hosts, "a", "m")
    assert (obtained.proof.by, obtained.proof.identified) == (ProvedBy.ARCHIVE_SUM, True)
    assert hosts["m"].sent >= len(DATA)


def test_mirror_with_another_archive_of_the_same_size_is_refused(tmp_path: Path) -> None:
    hosts = {"a": Host(DATA, status=503), "m": Host(archive(b"TTTT"))}
    assert reason(tmp_path, hosts, "a", "m") is Reason.CORRUPT


def test_head_of_a_mirror_is_not_identified_later(tmp_path: Path) -> None:
    """An attempt gets the head from a mirror and dies; the next one asks the location of the locator for it."""
    partial = PartialArchive(tmp_path / "archive" / f"{RUN}.sra", Identity(len(DATA), file_entry(RUN, DATA, [])["md5"]))
    other = archive(b"TTTT")
    partial.write(0, other[: 1 << 17])
    partial.close()
    hosts = {"a": Host(DATA)}
    obtained, _ = obtain(tmp_path, hosts)
    assert (obtained.proof.by, obtained.proof.identified) == (ProvedBy.COLUMN_SUMS, True)


def test_copy_of_an_earlier_attempt_identifies_what_a_mirror_serves(tmp_path: Path) -> None:
    """The first attempt gets the head from the locator's location; at the second one the locator is down."""
    assert reason(tmp_path, {"a": Host(DATA, refuses=PLACES["data"])}) is Reason.NETWORK
    hosts = {"m": Host(DATA)}
    obtained, _ = obtain(tmp_path, hosts, "", "m", locator=False)
    assert (obtained.proof.by, obtained.proof.identified) == (ProvedBy.COLUMN_SUMS, True)
    assert obtained.md5
    assert hosts["m"].sent < len(DATA) / 2


def test_mirror_that_differs_from_the_copy_of_an_earlier_attempt_is_not_used(tmp_path: Path) -> None:
    assert reason(tmp_path, {"a": Host(DATA, refuses=PLACES["data"])}) is Reason.NETWORK
    hosts = {"m": Host(archive(b"TTTT"))}
    assert reason(tmp_path, hosts, "", "m", locator=False) is Reason.NETWORK


def test_without_a_locator_only_integrity_is_proved(tmp_path: Path) -> None:
    for whole in (False, True):
        obtained, _ = obtain(tmp_path / str(whole), {"m": Host(DATA)}, "", "m", locator=False, whole=whole)
        assert (obtained.proof.by, obtained.proof.identified) == (ProvedBy.COLUMN_SUMS, False)
        assert obtained.md5 == ""


def test_mirror_whose_archive_is_cut_is_left_for_one_with_another_size(tmp_path: Path) -> None:
    hosts = {"m": Host(DATA[:500_000]), "n": Host(DATA)}
    obtained, _ = obtain(tmp_path, hosts, "", "mn", locator=False)
    assert (obtained.proof.by, obtained.proof.identified) == (ProvedBy.COLUMN_SUMS, False)


def test_location_without_tls_does_not_identify_what_a_locator_with_tls_names(tmp_path: Path) -> None:
    hosts = {"a": Host(DATA)}
    obtained, _ = obtain(tmp_path, hosts, scheme="http")
    assert (obtained.proof.by, obtained.proof.identified) == (ProvedBy.ARCHIVE_SUM, True)
    obtained, _ = obtain(tmp_path / "2", {"a": Host(DATA)}, scheme="http", md5=False)
    assert (obtained.proof.by, obtained.proof.identified) == (ProvedBy.COLUMN_SUMS, False)


def test_hostile_table_of_contents_costs_no_transfer(tmp_path: Path) -> None:
    """It calls 40 MB of an archive a file of sums."""
    hostile = kar_archive({"md5": b"x" * 40_000_000, "tbl": {}}, alignment=4)
    host = Host(hostile)
    network = Network({"m": host})
    wish = Wish(RUN, FASTQ_DUMP, locator_url="", mirrors=("https://m/{run}",))
    with pytest.raises(JobFailed) as failed:
        obtainer = Obtainer(MemoryClient(network), Politeness(tmp_path / "rates"), NEVER, lambda text: None)
        obtainer.obtain(wish, tmp_path / "archive")
    assert failed.value.failure.reason is Reason.UNPROVABLE
    assert host.sent <= 1 + 2 * (1 << 17)  # its head, twice
