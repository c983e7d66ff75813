"""Tests of the sources that users pass to `wort compute`, and of the output of commands."""

import csv
import io
import json
import signal

from tests.support.gate import Gate
from tests.support.homes import Home
from tests.support.polling import until
from tests.support.shelf import Shelf, copy_archive, gunzipped

# ---- Requests


def test_dry_run_changes_nothing(home: Home, runs: tuple[str, ...]) -> None:
    for flags in ((), ("--now",), ("--wait",)):
        done = home("compute", *runs, "--dry-run", *flags).expect(0)
        assert [row[:2] for row in done.rows()] == [[run, "would be queued"] for run in runs]
    assert not home.jobs()
    assert not home.select("SELECT * FROM events")
    assert not home.signature_files()
    home("compute", runs[0], "--now").expect(0)
    done = home("compute", *runs, "-n", "--force", "--json").expect(0)
    assert [row["state"] for row in done.records()] == ["would be queued"] * 3
    assert len(home.jobs()) == 1


def test_runs_are_read_from_a_file_and_from_standard_input(home: Home) -> None:
    (home.cwd / "list.txt").write_text("# runs\n\nSRR000001\n  SRR000002  # the second\nSRR000001\n")
    done = home("compute", "--from-file", "list.txt", "-", "SRR000004", stdin="SRR000003\r\nSRR000002\n").expect(0)
    assert sorted(row[0] for row in done.rows()) == [f"SRR00000{number}" for number in range(1, 5)]
    assert len(home.jobs()) == 4
    bad = "SRR000008\n-h\nSRR000009\nSRP\n"
    done = home("compute", "-", stdin=bad).expect(2, "line 2", "line 4", "nothing was queued")
    assert len(home.jobs()) == 4
    home("compute", "-", stdin="").expect(2, "nothing to compute")
    home("compute", "--from-file", "no-such-file").expect(2, "no-such-file")
    (home.cwd / "binary").write_bytes(bytes(range(256)))
    home("compute", "--from-file", "binary").expect(2)


def test_invalid_lines_of_a_downloaded_table_are_left_out_and_named_if_asked(home: Home) -> None:
    table = '\ufeffRun,spots\r\nSRR000001,5\r\nSRR1,7\r\nSRR000002,"1,000"\r\n'
    (home.cwd / "SraRunInfo.csv").write_bytes(table.encode("utf-16-le"))
    words = ("compute", "--from-file", "SraRunInfo.csv")
    home(*words).expect(2, "line 3: 'SRR1'", "--skip-invalid")
    assert home.jobs() == []
    home(*words, "--skip-invalid", "--dry-run").expect(1, "line 3: 'SRR1'")
    done = home(*words, "--skip-invalid").expect(1, "line 3: 'SRR1'")
    assert [row[0] for row in done.rows()] == [job.name for job in home.jobs()] == ["SRR000001", "SRR000002"]
    (home.cwd / "good.txt").write_text("SRR000001\n")
    home("compute", "--from-file", "good.txt", "--skip-invalid").expect(0)


def test_archives_of_the_same_name_need_different_names(home: Home, shelf: Shelf) -> None:
    for place in ("a", "b"):
        copy_archive(shelf.archive(), home.cwd / place / "x.sra")
    home("compute", "a/x.sra").expect(0)
    home("compute", "b/x.sra").expect(2, "another --name")
    home("compute", "b/x.sra", "--name", "y").expect(0)
    assert [job.name for job in home.jobs()] == ["x", "y"]


# ---- Output


def test_every_json_document_is_what_its_schema_says(home: Home, runs: tuple[str, ...]) -> None:
    home("daemon", "start").expect(0)
    home("compute", runs[0], "SRR999999", "--wait", "--json").expect(0).records()
    for command in (
        ("status",),
        ("status", runs[0]),
        ("status", "--state", "done"),
        ("status", "--reason", "not-found"),
        ("daemon", "status"),
        ("view", runs[0]),
        ("logs", runs[0]),
        ("logs", "SRR999999"),
        ("wait", runs[0]),
        ("config", "show"),
        ("config", "path"),
        ("doctor",),
        ("compute", runs[0]),
        ("compute", runs[1], "--dry-run"),
        ("cancel", "--all"),
        ("retry", "--reason", "not-found"),
    ):
        done = home(*command, "--json")
        assert done.code in (0, 1), str(done)
        assert done.json()


def test_status_filters_and_formats_tables(home: Home, runs: tuple[str, ...]) -> None:
    assert home().expect(0).out == home("status").expect(0).out
    home("compute", *runs).expect(0)
    for flag, delimiter in (("--csv", ","), ("--tsv", "\t")):
        rows = list(csv.DictReader(io.StringIO(home("status", flag).expect(0).out), delimiter=delimiter))
        assert sorted(row["name"] for row in rows) == sorted(runs)
        assert {row["state"] for row in rows} == {"queued"}
    home("status", "--csv", "--json").expect(2)
    assert len(home("status", "--state", "queued", "-n", "2").expect(0).rows()) == 2
    home("compute", "-", stdin="\n".join(f"SRR{n:06d}" for n in range(100, 160)), env={}).expect(0)
    for flags in ((), ("--json",), ("--tsv",), ("--all",)):
        done = home("status", "--state", "queued", *flags).expect(0)
        assert len(done.records() if flags == ("--json",) else done.rows()) == 63
    home("status", "--all", "-n", "3").expect(2)
    assert "the newest 3 of 63 jobs" in home("status", "--state", "queued", "-n", "3").expect(0).err
    home("cancel", *(f"SRR{n:06d}" for n in range(100, 160))).expect(0)
    home("status", "--state", "nonsense").expect(2, "queued, running")
    home("status", "--reason", "nonsense").expect(2, "not-found")
    home("status", "SRR999999").expect(2, "is unknown")
    summary = home("status", "--json").expect(0).json()
    assert summary["counts"]["queued"] == 3
    assert summary["daemon"]["state"] == "stopped"
    assert "wort daemon start" in home("status").err


def test_view_shows_and_copies_signatures(home: Home, shelf: Shelf, runs: tuple[str, ...]) -> None:
    home("view", runs[0]).expect(2, "there is no signature")
    home("compute", runs[0]).expect(0)
    home("view", runs[0]).expect(2, "is queued")
    home("compute", runs[0], "--now").expect(0)
    wanted = shelf.reference(shelf.archive(), runs[0])
    assert home("view", runs[0], "--raw").expect(0).out.encode() == wanted
    home("view", runs[0], "-o", "copy.sig").expect(0)
    assert gunzipped(home.cwd / "copy.sig") == wanted
    assert home("view", "copy.sig", "--raw").expect(0).out.encode() == wanted
    seen = home("view", runs[0], "-k", "31", "--json").expect(0).records()[0]
    assert [sketch["k"] for sketch in seen["sketches"]] == [31]
    home("view", runs[0], "-k", "32").expect(2, "21, 31, 51")
    home("view", runs[0], "-k", "31", "-o", "one.sig").expect(0)
    (whole,), (one,) = json.loads(wanted), json.loads(gunzipped(home.cwd / "one.sig"))
    whole["signatures"] = [sketch for sketch in whole["signatures"] if sketch["ksize"] == 31]
    assert one == whole
    assert home("view", runs[0], "-k", "31", "--raw").expect(0).out.encode() == gunzipped(home.cwd / "one.sig")
    home("view", runs[0], "-k", "32", "-o", "none.sig").expect(2, "21, 31, 51")
    assert not (home.cwd / "none.sig").exists()
    assert "fastq-dump" in home("view", runs[0], "--provenance").expect(0).out
    (home.cwd / "broken.sig").write_bytes(home.signature_file(runs[0]).read_bytes()[:500])
    home("view", "broken.sig").expect(6, "is not a signature")
    home("view", "absent.sig").expect(2)
    assert home("view", runs[0], "-o", "no/such/directory/x.sig").code in (2, 75)
    assert not (home.cwd / "no").exists()


def test_logs_are_shown_and_followed(home: Home, gate: Gate, runs: tuple[str, ...]) -> None:
    home("logs", "--daemon").expect(2, "no daemon has run")
    home("logs").expect(2)
    home("daemon", "start", env=gate.env).expect(0)
    home("compute", runs[0]).expect(0)
    gate.until_reached()
    assert "running" in home("logs", runs[0]).expect(0).out
    with home.running("logs", "1", "-f", "--all") as following:
        until(lambda: "running" in following.out.read_text(), "the log is shown")
        gate.open()
        done = following.wait().expect(0)
    assert "fastq-dump" in done.out
    home("wait", "1").expect(0)
    assert "Written 2000 spots" in home("logs", "1", "--all").expect(0).out
    assert "Written 2000 spots" in home("logs", runs[0], "--all", "-n", "4").expect(0).out
    assert "Written" not in home("logs", "1").expect(0).out
    until(lambda: "job 1, attempt 1: done" in home("logs", "--daemon").expect(0).out, "the end is logged")
    assert len(home("logs", "--daemon", "-n", "1").expect(0).rows()) == 1
    home("logs", "77").expect(2, "is unknown")


def test_watched_status_stops_on_ctrl_c(home: Home) -> None:
    with home.running("status", "--watch") as watching:
        until(lambda: watching.out.stat().st_size > 0, "it has shown something")
        watching.signal(signal.SIGINT)
        watching.wait().expect(130)


def test_closed_pipe_is_not_an_error(home: Home, runs: tuple[str, ...]) -> None:
    """`wort status --tsv | head -n 0` closes the pipe at once."""
    home("compute", *runs).expect(0)
    done = home("status", "--tsv", before=("bash", "-c", '"$@" | head -n 0; exit "${PIPESTATUS[0]}"', "bash"))
    assert done.err == ""
    assert done.code in (0, 141), str(done)


def test_doctor_reports_missing_tools(home: Home) -> None:
    """There is no problem on this machine until tools are missing from PATH."""
    assert home("doctor").expect(0).out
    done = home("doctor", "--json", env={"PATH": str(home.root / "bin")}).expect(1)
    assert {row["what"] for row in done.records() if row["state"] == "problem"} >= {"fastq-dump", "vdb-validate"}
