"""While disk or memory is short, or the load is high, jobs wait with a message that has figures, and start later."""

import json
from pathlib import Path

import pytest

from tests.support.gate import Gate
from tests.support.homes import WORT, Home
from tests.support.namespaces import FILL, in_namespace
from tests.support.polling import until
from tests.support.shelf import Shelf, copy_archive, gunzipped
from wort_cli.pipeline.reservations import Need, Reservation, reservations

HUGE = str(10**15)


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [("WORT_DISK_RESERVE", HUGE, "disk-low"), ("WORT_MEMORY_RESERVE", HUGE, "memory")],
)
def test_job_waits_while_disk_or_memory_is_short(
    variable: str, value: str, reason: str, home: Home, shelf: Shelf
) -> None:
    home.keep("SRR000001", shelf.archive())
    done = home("compute", "SRR000001", "--now", env={variable: value}).expect(75, reason)
    assert "kept in reserve" in done.err + home.job("SRR000001").message
    job = home.job("SRR000001")
    assert (job.state, job.reason) == ("waiting", reason)
    assert "1000.0 TB are kept in reserve" in job.message
    assert job.message in home("status", "SRR000001").expect(0).out
    assert job.message in home("logs", "SRR000001").expect(0).out
    assert not home.leftovers()
    home("compute", "SRR000001", "--now").expect(0)
    assert home.signature("SRR000001") == shelf.reference(shelf.archive(), "SRR000001")


@pytest.mark.parametrize(("reserved", "reason"), [(Need(memory=10**15), "memory"), (Need(work=10**15), "disk-low")])
def test_job_waits_for_what_another_job_has_reserved(reserved: Need, reason: str, home: Home, shelf: Shelf) -> None:
    """The other job belongs to the process of the test."""
    attempt = home.path / "work" / "99" / "attempt-1"
    attempt.mkdir(parents=True)
    with reservations(home.path / "work") as book:
        book.add(Reservation.now(attempt, attempt, reserved))
    home.keep("SRR000001", shelf.archive())
    home("compute", "SRR000001", "--now").expect(75, reason)
    assert "other jobs have reserved 1" in home.job("SRR000001").message
    attempt.rmdir()
    attempt.parent.rmdir()
    home("compute", "SRR000001", "--now").expect(0)


def test_running_job_has_a_reservation(home: Home, shelf: Shelf) -> None:
    home.keep("SRR000001", shelf.archive())
    gate = Gate(home)
    home("daemon", "start", env=gate.env).expect(0)
    home("compute", "SRR000001").expect(0)
    gate.until_reached()
    assert outstanding(home).memory > 10_000_000
    assert outstanding(home).store > 0
    gate.open()
    home("wait", "SRR000001").expect(0)
    assert outstanding(home) == Need()


def outstanding(home: Home) -> Need:
    """Return what the jobs of a home have reserved and not used yet."""
    with reservations(home.path / "work") as book:
        return book.outstanding


@pytest.mark.parametrize(
    ("setting", "sentence", "unhealthy"),
    [({"WORT_DISK_RESERVE": HUGE}, "are kept in reserve", True), ({"WORT_MAX_LOAD": "1e-9"}, "max_load", False)],
)
def test_daemon_reports_why_no_job_starts(
    setting: dict[str, str], sentence: str, unhealthy: bool, home: Home, shelf: Shelf
) -> None:
    home.env.update(setting)
    home.keep("SRR000001", shelf.archive("one_read"))
    home("daemon", "start").expect(0)
    home("compute", "SRR000001").expect(0)
    until(lambda: home("daemon", "status", "--json").json()["held"], "jobs are blocked")
    until(lambda: home("daemon", "status").code == (1 if unhealthy else 0), "the daemon reports it")
    status = home("daemon", "status", "--json").json()
    assert sentence in status["held"]
    assert status["state"] == ("unhealthy" if unhealthy else "running")
    assert sentence in home("status").expect(0).out
    until(lambda: sentence in home("logs", "--daemon").expect(0).out, "it is logged")
    home("doctor").expect(1 if unhealthy else 0)
    assert home.job("SRR000001").attempt == 0
    for name in setting:
        del home.env[name]
    home("daemon", "restart").expect(0)
    home("wait", "SRR000001").expect(0)


def test_daemon_survives_a_full_disk(home: Home, shelf: Shelf, tmp_path: Path) -> None:
    """It reports that it is unhealthy, loses no job, and continues when there is space again."""
    for name in ("one", "two"):
        copy_archive(shelf.archive(), home.cwd / f"{name}.sra")
    script = f"""{FILL}
poll() {{ for _ in $(seq 300); do "$@" && return 0; read -r -t 0.1 _ <> "{tmp_path}/fifo"; done; return 1; }}
unhealthy() {{ {WORT} daemon status --json > "{tmp_path}/full.json"; test $? = 1; }}
mkfifo "{tmp_path}/fifo"
mount -t tmpfs -o mode=700,size=16m tmpfs "$home"
{WORT} daemon start
trap '{WORT} daemon stop' EXIT
{WORT} compute one.sra --wait
{WORT} daemon pause
{WORT} compute two.sra
fill "$home"
poll unhealthy
{WORT} status > "{tmp_path}/status" || echo "status: $?" >&2
{WORT} doctor > "{tmp_path}/doctor" && exit 9
rm "$home/fill"
{WORT} daemon resume
{WORT} wait two
{WORT} status two --json > "{tmp_path}/two.json"
{WORT} daemon status --json > "{tmp_path}/well.json"
cp "{home.signature_file("two")}" "{tmp_path}/two.sig"
"""
    in_namespace(home, f"set -e\n{script}", "status").expect(0)
    full = json.loads((tmp_path / "full.json").read_text())
    assert full["state"] == "unhealthy"
    assert any("nearly full" in sentence for sentence in full["problems"]), full["problems"]
    assert full["loop"]["age"] < 60
    assert full["disks"][0]["free"] < full["disks"][0]["reserve"]
    assert "unhealthy" in (tmp_path / "status").read_text()
    assert "nearly full" in (tmp_path / "doctor").read_text()
    (two,) = json.loads((tmp_path / "two.json").read_text())["jobs"]
    assert two["state"] == "done"
    assert json.loads((tmp_path / "well.json").read_text())["state"] == "running"
    assert gunzipped(tmp_path / "two.sig") == shelf.reference(shelf.archive(), "two")
