"""`wort sync` with a real bucket: it transfers what is missing, nothing twice, and reports every difference."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.bucket import Bucket
from tests.support.homes import WORT, Home
from tests.support.polling import until
from tests.support.proxy import Fate, Proxy
from tests.support.signatures import make_recorded_signatures

NUMBER = 300
"""Signatures in this short load test; benchmarks/sync.py is the long one."""


def keys_of(names: list[str]) -> list[str]:
    return sorted([f"prov/{name}.json" for name in names] + [f"sigs/{name}.sig" for name in names])


def keys_in(bucket: Bucket) -> list[str]:
    """Return the keys of signatures and provenance, without those of the tables."""
    return [key for key in bucket.all_keys() if key.startswith(("prov/", "sigs/"))]


def test_push_sends_missing_signatures_once(home: Home, bucket: Bucket, proxy: Proxy) -> None:
    names = make_recorded_signatures(home.path, NUMBER)
    preview = home("sync", "push", "--dry-run").expect(0)
    assert [row[:2] for row in preview.rows()] == [[name, "would be put"] for name in names]
    assert bucket.all_keys() == []
    done = home("sync", "push").expect(0, f"{NUMBER} pushed, 0 in sync")
    assert sorted(row[0] for row in done.rows()) == names
    assert {row[1] for row in done.rows()} == {"put"}
    assert keys_in(bucket) == keys_of(names)
    assert all(bucket.get(f"sigs/{name}.sig") == home.signature_file(name).read_bytes() for name in names[:5])
    proxy.requests.clear()
    again = home("sync", "push").expect(0, f"0 pushed, {NUMBER} in sync")
    assert again.rows() == []
    methods = [method for method, _ in proxy.requests]
    assert methods[:2] == ["GET", "GET"]  # a listing of sigs/, one of prov/
    assert set(methods[2:]) == {"GET", "HEAD"}  # the tables of what is there are looked at
    assert len(methods) < 10


def test_results_are_on_stdout_and_the_progress_bar_on_stderr(home: Home, bucket: Bucket) -> None:
    names = make_recorded_signatures(home.path, 5)
    controller, terminal = os.openpty()
    try:
        env = home.env | {"TERM": "xterm"}
        done = subprocess.run([WORT, "sync", "push"], stdout=subprocess.PIPE, stderr=terminal, env=env, check=True)
        shown = os.read(controller, 100_000).decode()
    finally:
        os.close(controller)
        os.close(terminal)
    assert sorted(done.stdout.decode().splitlines()[1:]) == [f"{name}\tput\t" for name in names]
    assert "5 pushed" in shown
    assert "\x1b[" in shown


def test_push_resumes_after_a_kill(home: Home, bucket: Bucket, proxy: Proxy) -> None:
    names = make_recorded_signatures(home.path, NUMBER)
    with home.running("sync", "push") as push:
        until(lambda: proxy.sent("PUT", "sigs/") >= NUMBER // 3, "a third is sent")
        push.signal(signal.SIGKILL)
    sent = proxy.sent("PUT", "sigs/")
    assert sent < NUMBER
    home("sync", "push").expect(0)
    assert keys_in(bucket) == keys_of(names)
    assert proxy.sent("PUT", "sigs/") <= NUMBER + 16  # only requests in flight may be sent twice
    home("sync", "check").expect(0, f"{NUMBER} in sync")


def test_push_never_overwrites(home: Home, bucket: Bucket) -> None:
    first, second, third = make_recorded_signatures(home.path, 3)
    bucket.put(f"sigs/{first}.sig", b"something else")
    bucket.put(f"sigs/{second}.sig", b"")
    done = home("sync", "push", "--json").expect(1)
    rows = {row["name"]: row for row in done.records()}
    assert rows[first]["state"] == "failed"
    assert "is not a signature of" in rows[first]["message"]
    assert (rows[second]["state"], rows[third]["state"]) == ("put", "put")
    assert bucket.get(f"sigs/{first}.sig") == b"something else"
    assert bucket.get(f"sigs/{second}.sig") == home.signature_file(second).read_bytes()


def test_push_refuses_what_is_not_in_the_catalog(home: Home, bucket: Bucket) -> None:
    good, bad, unknown = make_recorded_signatures(home.path, 3)
    home.signature_file(bad).write_bytes(home.signature_file(good).read_bytes())
    with contextlib.closing(sqlite3.connect(home.ledger)) as connection, connection:
        connection.execute("DELETE FROM signatures WHERE name = ?", (unknown,))
    done = home("sync", "push").expect(1, "2 failed")
    assert {row[0]: row[1] for row in done.rows()} == {good: "put", bad: "failed", unknown: "failed"}
    assert keys_in(bucket) == keys_of([good])


@pytest.mark.parametrize("command", ["push", "pull", "check"])
def test_unavailable_server_is_a_temporary_error(home: Home, bucket: Bucket, proxy: Proxy, command: str) -> None:
    make_recorded_signatures(home.path, 3)
    proxy.decide = lambda method, path: Fate.BUSY
    words = ("SRR000099",) if command == "pull" else ()
    home("sync", command, *words).expect(75, "503")
    home("sync", command, *words, env={"AWS_SECRET_ACCESS_KEY": "x", "WORT_S3_ENDPOINT": bucket.ceph.endpoint}).expect(
        1, "SignatureDoesNotMatch"
    )


def test_sync_without_a_bucket_names_the_setting(home: Home) -> None:
    home("sync", "push").expect(2, "no bucket is set", "s3_bucket")


def test_pull_downloads_named_runs_or_all_in_the_bucket(home: Home, bucket: Bucket, tmp_path: Path) -> None:
    names = make_recorded_signatures(home.path, 20)
    home("sync", "push").expect(0)
    other = Home(tmp_path / "other")
    other.env |= {key: value for key, value in home.env.items() if key.startswith(("WORT_S3", "AWS_"))}
    other("sync", "pull", "--dry-run", *names[:2]).expect(0)
    assert not other.signature_files()
    other("sync", "pull", "-", stdin="\n".join(names[:10])).expect(0, "10 pulled")
    for name in names[:10]:
        assert other.signature_file(name).read_bytes() == home.signature_file(name).read_bytes()
        assert other("view", name, "--json").expect(0).records()[0]["trust"] == "published"
    for path in other.signature_files()[:6]:
        path.unlink()
    other("sync", "pull").expect(0, "13 pulled, 7 in sync")
    assert len(other.signature_files()) == 40
    other("sync", "pull", "SRR999999").expect(1, "1 failed")
    other("sync", "pull", "nonsense").expect(2)
    other.end()


def test_pull_refuses_damaged_and_mismatched_objects(home: Home, bucket: Bucket, tmp_path: Path) -> None:
    names = make_recorded_signatures(home.path, 4)
    home("sync", "push").expect(0)
    damaged, mixed_up, lying, good = names
    content = bucket.get(f"sigs/{damaged}.sig")
    bucket.put(f"sigs/{damaged}.sig", content[: len(content) // 2])
    bucket.put(f"sigs/{mixed_up}.sig", bucket.get(f"sigs/{good}.sig"))
    bucket.put(f"sigs/{lying}.sig", bucket.get(f"sigs/{lying}.sig"), Metadata={"digest": "0" * 64})
    other = Home(tmp_path / "other")
    other.env |= {key: value for key, value in home.env.items() if key.startswith(("WORT_S3", "AWS_"))}
    done = other("sync", "pull", *names).expect(1, "1 pulled", "3 failed")
    assert [row[0] for row in done.rows() if row[1] == "pulled"] == [good]
    assert [path.name for path in other.signature_files()] == [f"{good}.prov.json", f"{good}.sig"]
    other.end()


def test_check_reports_every_difference_and_repairs_damage(home: Home, bucket: Bucket) -> None:
    names = make_recorded_signatures(home.path, 9)
    home("sync", "push").expect(0)
    home("sync", "check").expect(0)
    here, there, empty, cut, recipe, different, orphan, alone, _ = names
    bucket.client.delete_object(Bucket=bucket.name, Key=f"sigs/{here}.sig")
    bucket.client.delete_object(Bucket=bucket.name, Key=f"prov/{here}.json")
    home.signature_file(there).unlink()
    bucket.put(f"sigs/{empty}.sig", b"")
    bucket.put(f"sigs/{cut}.sig", bucket.get(f"sigs/{cut}.sig")[:-20])
    document = json.loads(home.signature(recipe))
    document[0]["signatures"].pop()
    bucket.put(f"sigs/{recipe}.sig", json.dumps(document).encode())
    document = json.loads(home.signature(different))
    document[0]["signatures"][0]["abundances"][0] += 1
    bucket.put(f"sigs/{different}.sig", json.dumps(document).encode())
    home.signature_file(orphan).unlink()
    bucket.client.delete_object(Bucket=bucket.name, Key=f"sigs/{orphan}.sig")
    bucket.client.delete_object(Bucket=bucket.name, Key=f"prov/{alone}.json")
    bucket.client.create_multipart_upload(Bucket=bucket.name, Key="sigs/SRR777777.sig")
    found = {(row[0], row[1]) for row in home("sync", "check").expect(1, "--repair").rows()}
    assert found == {
        (here, "not-there"),
        (there, "not-here"),
        (empty, "empty"),
        (cut, "unreadable"),
        (recipe, "other-profile"),
        (different, "different"),
        (orphan, "orphaned-provenance"),
        (alone, "no-provenance"),
        ("sigs/SRR777777.sig", "pending-upload"),
    }
    quick = {row[1] for row in home("sync", "check", "--quick").expect(1).rows()}
    assert quick == {"not-there", "not-here", "empty", "orphaned-provenance", "no-provenance", "pending-upload"}
    assert [row[:2] for row in home("sync", "check", empty).expect(1).rows()] == [[empty, "empty"]]
    home("sync", "check", "--repair", "--dry-run").expect(1, "2 runs would be queued")
    assert not home.jobs()
    home("sync", "check", "--repair").expect(1, "2 runs queued")
    assert {(job.name, job.state) for job in home.jobs()} == {(empty, "queued"), (cut, "queued")}


def test_memory_does_not_grow_with_the_number_of_keys() -> None:
    """The benchmark serves listings only; `make bench-s3` uses a million keys."""
    peaks = []
    for pages in (2, 50):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.listing", str(pages)], capture_output=True, text=True, check=True
        )
        keys, peak = (int(word) for word in done.stdout.split())
        assert keys == pages * 1000
        peaks.append(peak)
    assert peaks[1] - peaks[0] < 8_000_000
