"""Workers on other hosts, with real queues: PostgreSQL and Redis."""

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bucket import Bucket
from tests.support.homes import Home, all_below
from tests.support.polling import until
from tests.support.queue_servers import PASSWORD, QueueServer, Redis
from tests.support.shelf import Shelf
from tests.support.worker_hosts import Cluster

LAYOUTS = ("paired_illumina", "single_illumina", "clipped")


@pytest.fixture
def cluster(home: Home, server: QueueServer, tmp_path: Path) -> Iterator[Cluster]:
    """A coordinator without workers, in a queue that is empty."""
    made = Cluster(home, server, tmp_path)
    if isinstance(server, Redis) or "wort_kv" in server.sql("select tablename from pg_tables"):  # type: ignore[attr-defined]
        server.lose_everything()
    yield made
    made.end()


def keep_runs(cluster: Cluster, shelf: Shelf, number: int) -> list[str]:
    """Put runs into the repositories of all hosts; return their names."""
    names = [f"SRR{1_000_001 + i}" for i in range(number)]
    for i, name in enumerate(names):
        cluster.keep(name, shelf.archive(LAYOUTS[i % 3]))
    return names


def check_signatures(cluster: Cluster, shelf: Shelf, names: list[str]) -> None:
    """Assert that the coordinator has the reference signature of each run, from one attempt's result."""
    for i, name in enumerate(names):
        assert cluster.home.signature(name) == shelf.reference(shelf.archive(LAYOUTS[i % 3]), name)
        done = [event for event in cluster.home.events(name) if event[0] == "done"]
        assert len(done) == 1


def queue_is_empty(cluster: Cluster) -> bool:
    """Return whether the queue has nothing but the board and the beats of workers."""
    return not cluster.server.values()


def test_two_workers_compute_runs_without_a_bucket(cluster: Cluster, shelf: Shelf, tmp_path: Path) -> None:
    places = tmp_path / "first", tmp_path / "second"
    first, second = (cluster.add(**hold(place)) for place in places)
    names = keep_runs(cluster, shelf, 8)
    cluster.start()
    cluster.until_known(2)
    cluster.home("compute", *names).expect(0)
    for place in places:
        until((place / "held").exists, "both have work")
    for place in places:
        (place / "go").touch()
    cluster.home("wait", "--all").expect(0)
    check_signatures(cluster, shelf, names)
    assert all(job.attempt == 1 and job.owner == "" for job in cluster.home.jobs())
    listed = cluster.home("worker", "list", "--json").expect(0).records()
    assert {row["state"] for row in listed} <= {"idle", "working"} and len(listed) == 2
    status = cluster.home("daemon", "status", "--json").expect(0).json()
    assert [(row["host"], row["workers"], row["jobs"]) for row in status["hosts"]] == [(os.uname().nodename, 2, 2)]
    until(lambda: queue_is_empty(cluster), "the queue is empty")
    until(lambda: not first.workspaces() + second.workspaces(), "no workspace is left")


def test_signatures_reach_the_coordinator_through_the_bucket(cluster: Cluster, bucket: Bucket, shelf: Shelf) -> None:
    cluster.add()
    names = keep_runs(cluster, shelf, 3)
    cluster.start()
    cluster.home("compute", *names, "--wait").expect(0)
    for i, name in enumerate(names):
        assert bucket.signature(name) == shelf.reference(shelf.archive(LAYOUTS[i]), name)
    listed = cluster.home("ls", "--json").expect(0).records()
    assert {row["run"] if "run" in row else row["name"] for row in listed} == set(names)
    assert cluster.home.select("SELECT count(*) FROM signatures WHERE path = '' AND remote != ''") == [(3,)]
    host = cluster.hosts[0].home.path
    until(lambda: not [path for path in all_below(host) if path.suffix == ".sig"], "the worker keeps no copy")


def test_jobs_of_a_killed_worker_go_to_another_one(cluster: Cluster, shelf: Shelf, tmp_path: Path) -> None:
    cluster.home.env["WORT_WORKER_LEASE"] = "6"
    slow = cluster.add(**hold(tmp_path))
    names = keep_runs(cluster, shelf, 1)
    cluster.start()
    cluster.home("compute", *names).expect(0)
    until((tmp_path / "held").exists, "the worker decodes")
    fast = cluster.add()
    keep_runs(cluster, shelf, 1)
    slow.kill()
    fast.start()
    cluster.home.until_job(names[0], "done")
    check_signatures(cluster, shelf, names)
    assert ("queued", "interrupted") in cluster.home.events(names[0])


def test_result_of_a_lost_attempt_changes_nothing(
    cluster: Cluster, bucket: Bucket, shelf: Shelf, tmp_path: Path
) -> None:
    """A worker is stopped for longer than its lease, and continues when another one has published the signature."""
    cluster.home.env["WORT_WORKER_LEASE"] = "6"
    late = cluster.add(**hold(tmp_path))
    (name,) = keep_runs(cluster, shelf, 1)
    cluster.start()
    cluster.home("compute", name).expect(0)
    until((tmp_path / "held").exists, "the worker decodes")
    for process in late.processes():
        process.kill(signal.SIGSTOP)
    other = cluster.add()
    keep_runs(cluster, shelf, 1)
    other.start()
    done = cluster.home.until_job(name, "done")
    assert done.attempt >= 2
    etag = bucket.head(f"sigs/{name}.sig")["LastModified"]
    (tmp_path / "go").touch()
    for process in late.processes():
        process.kill(signal.SIGCONT)
    until(lambda: not late.workspaces(), "the late attempt was cancelled, or its answer was too late")
    assert bucket.head(f"sigs/{name}.sig")["LastModified"] == etag
    assert cluster.home.job(name) == done
    check_bucket = bucket.signature(name)
    assert check_bucket == shelf.reference(shelf.archive(LAYOUTS[0]), name)
    until(lambda: queue_is_empty(cluster), "the queue is empty")


def test_server_of_the_queue_is_killed_and_loses_everything(cluster: Cluster, shelf: Shelf) -> None:
    cluster.add()
    cluster.add()
    names = keep_runs(cluster, shelf, 12)
    cluster.start()
    cluster.home("compute", *names).expect(0)
    cluster.home.until_job(names[0], "done")
    cluster.server.restart()
    until(lambda: len([job for job in cluster.home.jobs() if job.state == "done"]) > 3, "jobs are done")
    cluster.server.lose_everything()
    cluster.until_all_ended()
    check_signatures(cluster, shelf, names)
    until(lambda: queue_is_empty(cluster), "the queue is empty")


def test_coordinator_restarts_while_workers_go_on(cluster: Cluster, shelf: Shelf, tmp_path: Path) -> None:
    cluster.add(**hold(tmp_path))
    (name,) = keep_runs(cluster, shelf, 1)
    cluster.start()
    cluster.home("compute", name).expect(0)
    until((tmp_path / "held").exists, "the worker decodes")
    cluster.home("daemon", "stop").expect(0)
    assert cluster.home.job(name).state == "running"
    (tmp_path / "go").touch()
    until(lambda: "done" in cluster.hosts[0].log, "the worker has ended the job")
    cluster.home("daemon", "start").expect(0)
    assert cluster.home.until_job(name, "done").attempt == 1
    check_signatures(cluster, shelf, [name])


def test_cancelled_job_is_ended_on_its_worker(cluster: Cluster, shelf: Shelf, tmp_path: Path) -> None:
    host = cluster.add(**hold(tmp_path))
    (name,) = keep_runs(cluster, shelf, 1)
    cluster.start()
    cluster.home("compute", name).expect(0)
    until((tmp_path / "held").exists, "the worker decodes")
    cluster.home("cancel", name).expect(0)
    until(lambda: not host.is_decoding() and not host.workspaces(), "the worker has ended it")
    until(lambda: queue_is_empty(cluster), "the queue is empty")


def test_drained_worker_ends_its_job_and_takes_no_more(cluster: Cluster, shelf: Shelf, tmp_path: Path) -> None:
    host = cluster.add(**hold(tmp_path))
    names = keep_runs(cluster, shelf, 2)
    cluster.start()
    cluster.home("compute", *names).expect(0)
    until((tmp_path / "held").exists, "the worker decodes")
    name = os.uname().nodename
    cluster.home("worker", "drain", "no-such-host").expect(2, "no worker runs on 'no-such-host'")
    drained = cluster.home("worker", "drain", name, "--json").expect(0).json()
    assert drained["host"] == name and len(drained["workers"]) == 1
    until(lambda: "take no more jobs" in host.log, "the worker knows")
    (tmp_path / "go").touch()
    assert host.wait() == 0
    assert [job.state for job in cluster.home.jobs()] == ["done", "queued"]
    until(lambda: "no worker is connected" in cluster.home("daemon", "status", "--json").json()["held"], "it is held")
    cluster.home("cancel", names[1]).expect(0)


def test_terminated_worker_gives_its_job_back(cluster: Cluster, shelf: Shelf, tmp_path: Path) -> None:
    host = cluster.add(**hold(tmp_path))
    (name,) = keep_runs(cluster, shelf, 1)
    cluster.start()
    cluster.home("compute", name).expect(0)
    until((tmp_path / "held").exists, "the worker decodes")
    host.process.terminate()
    assert host.wait() == 0
    until(lambda: ("queued", "interrupted") in cluster.home.events(name), "the job was returned")
    daemon_log = cluster.home.path / "logs" / "daemon.log"
    until(lambda: "the worker was stopped" in daemon_log.read_text(encoding="utf-8"), "it is logged")
    (tmp_path / "go").touch()
    host.start()
    cluster.home.until_job(name, "done")
    check_signatures(cluster, shelf, [name])


def test_files_of_the_coordinator_are_not_sent_to_workers(cluster: Cluster, shelf: Shelf) -> None:
    cluster.add()
    keep_runs(cluster, shelf, 1)
    cluster.start()
    cluster.until_known(1)
    done = cluster.home("compute", shelf.archive(), "--wait")
    done.expect(1)
    (job,) = cluster.home.jobs()
    assert (job.state, job.reason) == ("failed", "local-files")


def test_secrets_are_shown_nowhere(cluster: Cluster, shelf: Shelf, tmp_path: Path) -> None:
    """The coordinator has the password in the URL, one worker in a file, another one in the environment."""
    host, other = cluster.add(), cluster.add()
    names = keep_runs(cluster, shelf, 2)
    before, at, after = cluster.server.url.rpartition("@")
    scheme, _, rest = cluster.server.url.partition("://")
    url = f"{before}:{PASSWORD}{at}{after}" if at else f"{scheme}://:{PASSWORD}@{rest}"
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    (tmp_path / "password").chmod(0o600)
    cluster.home.env["WORT_QUEUE"] = url
    host.home.env["WORT_QUEUE_PASSWORD_FILE"] = str(tmp_path / "password")
    for each in (cluster.home, host.home):
        del each.env["WORT_QUEUE_PASSWORD"]
    refused = host.home("worker", "--queue", url).expect(2, "other users of this machine can see a password")
    cluster.start()
    cluster.home("compute", *names, "--wait").expect(0)
    homes = (cluster.home, host.home, other.home)
    argv = [process.argv for home in homes for process in home.processes()]
    texts = [refused.err, host.log, other.log, json.dumps(argv)]
    done = [home("config", "show") for home in homes]
    for words in (
        ("config", "show", "--json"),
        ("daemon", "status"),
        ("worker", "list"),
        ("doctor",),
        ("show", names[0]),
    ):
        done.append(cluster.home(*words))
    texts += [text for each in done for text in (each.out, each.err)]
    for path in (path for home in homes for path in all_below(home.path)):
        with contextlib.suppress(OSError):  # a directory, or a file that was replaced meanwhile
            texts.append(path.read_bytes().decode(errors="replace"))
    assert sum(f"{cluster.server.address}:{cluster.server.port}" in text for text in texts) > 3  # the address is shown
    assert not [text[:300] for text in texts if PASSWORD in text]


def test_worker_of_another_version_is_refused(cluster: Cluster, shelf: Shelf) -> None:
    host = cluster.add()
    cluster.home("daemon", "start").expect(0)
    broken = "import wort_cli; wort_cli.__version__ = '99.0'; from wort_cli.cli import main; main()"
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-c", broken, "worker"],
        env=host.home.env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "the coordinator is wort" in done.stderr and "this is wort 99.0" in done.stderr


def hold(directory: Path) -> dict[str, str]:
    """Return an environment in which the first decoder waits until the file `go` exists."""
    from tests.support.homes import FASTQ_DUMP, write_script

    tools = directory / "tools"
    tools.mkdir(parents=True, exist_ok=True)
    write_script(
        tools / "fastq-dump",
        f"""
case " $* " in *" --fasta "*) ;; *) exec {FASTQ_DUMP} "$@" ;; esac
: > {directory}/held
while [ ! -e {directory}/go ]; do sleep 0.05; done
exec {FASTQ_DUMP} "$@"
""",
    )
    return {"PATH": f"{tools}:{os.environ['PATH']}", "WORT_DECODER": "fastq-dump"}
