"""Another user of the machine, with a real user id, plants files and directories where wort looks."""

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from tests.support.builders import clean_environment, job_spec, provenance
from tests.support.homes import WORT, Home
from tests.support.second_user import as_other, shared_directory
from wort_cli.commands.shared.checking.repair import check_permissions
from wort_cli.errors import NotPrivate
from wort_cli.model.failure import Reason
from wort_cli.pipeline.archives.kar import Extent
from wort_cli.pipeline.archives.partial import Identity, PartialArchive
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.run import run_job
from wort_cli.pipeline.sketching.read_stats import ReadStats
from wort_cli.pipeline.sketching.slices import FinishedSlice, Slice, SliceStore
from wort_cli.pipeline.toolkit.processes import Processes, kill_attempt
from wort_cli.pipeline.workspace import Workspace, origin
from wort_cli.settings import default_settings, load_settings
from wort_cli.system.cancellation import NEVER
from wort_cli.system.process_identity import identity_of
from wort_cli.system.seals import load_key


@pytest.fixture
def shared() -> Iterator[Path]:
    with shared_directory() as made:
        yield made


def wort(home: Path, *words: str, before: str = "") -> subprocess.CompletedProcess[str]:
    argv: list[str] = ["sh", "-c", f'{before} exec "$@"', "sh", str(WORT), *words]
    return subprocess.run(argv, env=clean_environment(WORT_HOME=str(home)), capture_output=True, text=True, check=False)


# ---- The home and the configuration


def test_home_of_another_user_is_refused(shared: Path) -> None:
    home = shared / "home"
    as_other('mkdir "$1"; echo "s3_bucket = \\"mine\\"" > "$1/config.toml"; chmod -R go-w "$1"', home)
    with pytest.raises(NotPrivate, match="belongs to"):
        load_settings({"WORT_HOME": str(home)})
    refused = wort(home, "status")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"{home} belongs to" in refused.stderr
    findings = json.loads(wort(home, "doctor", "--repair", "--json").stdout)["findings"]
    assert {(row["state"], row["what"]) for row in findings} == {
        ("problem", str(home)),
        ("problem", str(home / "config.toml")),
    }
    assert sorted(path.name for path in home.iterdir()) == ["config.toml"]


@pytest.mark.parametrize("name", ["", "config.toml", "work", "logs/jobs", "signatures/sigs", "ledger.db"])
def test_home_that_others_can_write_is_refused_until_it_is_repaired(shared: Path, name: str) -> None:
    home = shared / "home"
    home.mkdir(mode=0o755)
    path = home / name
    if "." in name:
        path.write_text("")
    else:
        path.mkdir(parents=True, exist_ok=True)
    path.chmod(path.stat().st_mode | 0o022)
    with pytest.raises(NotPrivate, match="can be written by everybody") as refusal:
        load_settings({"WORT_HOME": str(home)})
    assert refusal.value.path == path
    assert "wort doctor --repair" in refusal.value.hint
    paths = default_settings({"WORT_HOME": str(home)})
    (finding,) = check_permissions(paths, repair=False)
    assert (finding.state, finding.what, finding.detail) == ("problem", str(path), "can be written by everybody")
    (finding,) = check_permissions(paths, repair=True)
    assert finding.state == "repaired"
    assert stat.S_IMODE(path.stat().st_mode) & 0o022 == 0
    load_settings({"WORT_HOME": str(home)})


def test_files_of_a_home_are_private_whatever_the_umask_is(home: Home) -> None:
    home("daemon", "start", before=("sh", "-c", 'umask 0; exec "$@"', "sh")).expect(0)
    home("compute", "SRR000001", before=("sh", "-c", 'umask 0; exec "$@"', "sh")).expect(0)
    home.until_job("SRR000001", "unavailable")  # there is no such run; its workspace and its log were made
    home("daemon", "stop").expect(0)  # its files come and go
    found = [home.path, *home.path.rglob("*")]
    assert {path.name for path in found} >= {"ledger.db", "queue.db", "key", "jobs", "daemon.log", "work"}
    assert [str(path) for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_output_file_gets_the_umask_of_the_user(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from wort_cli.system.atomic_files import atomic_file, atomic_output\n"
        "from wort_cli.system.private_files import use_private_umask\n"
        "use_private_umask(); use_private_umask()\n"
        "for write, name in ((atomic_output, 'asked-for'), (atomic_file, 'own')):\n"
        "    with write(Path(sys.argv[1], name)) as file: file.write(b'x')\n"
    )
    subprocess.run(["sh", "-c", 'umask 027; exec "$@"', "sh", sys.executable, "-c", script, tmp_path], check=True)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"asked-for": 0o640, "own": 0o600}


# ---- Workspaces


class Idle:
    """A watcher that ignores everything."""

    cancellation = NEVER

    def report(self, progress: object) -> None:
        """Ignore the progress."""


@pytest.fixture
def spec(tmp_path: Path) -> JobSpec:
    return job_spec(tmp_path)


def test_workspace_of_another_user_fails_the_job(shared: Path) -> None:
    work = shared / "work"
    as_other('mkdir -p "$1/sealed"; chmod -R 777 "$1"', work)
    result = run_job(job_spec(shared), Idle())
    assert result.failure is not None
    assert result.failure.reason is Reason.STORAGE_DENIED
    assert "others may have written in it" in result.failure.detail
    assert sorted(path.name for path in work.iterdir()) == ["sealed"]


def test_planted_sealed_signature_is_not_published(spec: JobSpec, tmp_path: Path) -> None:
    key = load_key(tmp_path / "key")
    workspace = Workspace(spec.workspace, 1, key)
    workspace.create()
    workspace.sealed.write_bytes(b"signature")
    workspace.save_pending(provenance(), spec)
    assert workspace.load_pending(spec) is not None
    facts = workspace.pending.with_name("facts.json")
    document = json.loads(facts.read_bytes())
    for planted in (
        {key: value for key, value in document.items() if key != "seal"},
        {**document, "provenance": {**document["provenance"], "digest": "e" * 64}},
        {**document, "seal": "0" * 64},
    ):
        facts.write_text(json.dumps(planted))
        assert workspace.load_pending(spec) is None
    facts.write_text(json.dumps(document))
    assert Workspace(spec.workspace, 1, load_key(tmp_path / "other-key")).load_pending(spec) is None
    workspace.pending.write_bytes(b"planted")
    assert workspace.load_pending(spec) is None
    assert document["origin"] == origin(spec)


def test_planted_processes_are_not_killed(spec: JobSpec, tmp_path: Path) -> None:
    key = load_key(tmp_path / "key")
    with subprocess.Popen(["sleep", "600"], process_group=0) as stranger:
        try:
            found = identity_of(stranger.pid)
            assert found is not None
            directory = tmp_path / "attempt-1"
            directory.mkdir()
            (directory / "processes.json").write_text(json.dumps(asdict(Processes("daemon", found, found))))
            assert not kill_attempt(directory, key)
            Processes("daemon", found, found).write(directory, load_key(tmp_path / "other-key"))
            assert not kill_attempt(directory, key)
            assert identity_of(stranger.pid) == found
            Processes("daemon", found, found).write(directory, key)
            assert kill_attempt(directory, key)
        finally:
            stranger.kill()


def test_planted_map_of_an_archive_is_ignored(tmp_path: Path) -> None:
    identity, key = Identity(100, "0" * 32), load_key(tmp_path / "key")
    for planter in (b"", load_key(tmp_path / "other-key")):
        planted = PartialArchive(tmp_path / "x.sra", identity, planter)
        planted.write(0, b"y" * 100, named=True)
        planted.close()
        archive = PartialArchive(tmp_path / "x.sra", identity, key)
        assert archive.missing([Extent(0, 100)]) == [Extent(0, 100)]
        archive.delete()


def test_planted_slice_is_ignored(tmp_path: Path) -> None:
    part, inputs, key = Slice(1, 10), {"source": "d" * 64}, load_key(tmp_path / "key")
    numbers = np.array([1, 2, 3], np.uint64)
    planted = FinishedSlice(part, "fastq-dump", ReadStats(10, 10, 10, 1000), ((numbers, numbers),))
    for planter in (b"", load_key(tmp_path / "other-key")):
        SliceStore(tmp_path, inputs, planter).save(planted)
        assert SliceStore(tmp_path, inputs, key).load(part) is None
    SliceStore(tmp_path, inputs, key).save(planted)
    assert SliceStore(tmp_path, inputs, key).load(part) is not None


def test_key_that_others_could_read_is_replaced(shared: Path) -> None:
    path = shared / "key"
    first = load_key(path)
    assert load_key(path) == first
    path.chmod(0o644)
    second = load_key(path)
    assert second != first
    path.unlink()
    as_other('printf 12345678901234567890123456789012 > "$1"; chmod 600 "$1"', path)
    third = load_key(path)
    assert third not in (first, second, b"12345678901234567890123456789012")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.unlink()
    as_other('printf 12345678901234567890123456789012 > "$1.own"; ln -s "$1.own" "$1"', path)
    assert load_key(path) != b"12345678901234567890123456789012"
    assert not path.is_symlink()
