"""Tests of the readings of memory and load from /proc and control groups."""

from pathlib import Path

import pytest

from wort_cli.system.machine import available_cores, available_memory, core_limit, load, memory_limit


def machine(root: Path, group: str, limits: dict[str, tuple[str, int, int]]) -> tuple[Path, Path]:
    """Create a /proc and a cgroup file system; `limits` has memory.max, memory.current and inactive_file by group."""
    proc, cgroups = root / "proc", root / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text("MemTotal:  8000 kB\nMemFree:  10 kB\nMemAvailable:   4000 kB\n")
    (proc / "self" / "cgroup").write_text(f"0::/{group}\n")
    (cgroups / group).mkdir(parents=True)
    for name, (most, now, inactive) in limits.items():
        (cgroups / name / "memory.max").write_text(f"{most}\n")
        (cgroups / name / "memory.current").write_text(f"{now}\n")
        (cgroups / name / "memory.stat").write_text(f"anon 5\ninactive_file {inactive}\nfile 9\n")
    return proc, cgroups


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, 4_096_000),
        ({"a/b": ("max", 10**9, 0)}, 4_096_000),
        ({"a/b": ("1000000", 600_000, 0)}, 400_000),
        ({"a/b": ("1000000", 600_000, 100_000)}, 500_000),
        ({"a": ("1000000", 900_000, 0), "a/b": ("max", 1, 0)}, 100_000),
        ({"a": ("1000000", 2_000_000, 0)}, 0),
        ({"a": ("99000000", 0, 0)}, 4_096_000),
        ({"a": ("rubbish", 0, 0)}, 4_096_000),
    ],
)
def test_available_memory_is_that_of_the_most_limited_group(
    limits: dict[str, tuple[str, int, int]], expected: int, tmp_path: Path
) -> None:
    assert available_memory(*machine(tmp_path, "a/b", limits)) == expected


@pytest.mark.parametrize(
    ("limit", "expected"), [("1000000", 500_000), ("9223372036854771712", 4_096_000), ("rubbish", 4_096_000)]
)
@pytest.mark.parametrize("place", ["a/b", "a", ""])  # in a container, the group's own path is not there
def test_groups_of_version_1_are_read_too(limit: str, expected: int, place: str, tmp_path: Path) -> None:
    proc, cgroups = machine(tmp_path, "", {})
    (proc / "self" / "cgroup").write_text("9:name=systemd:/\n4:cpu,memory:/a/b\n0::/\n")
    group = cgroups / "memory" / place
    group.mkdir(parents=True)
    (group / "memory.limit_in_bytes").write_text(f"{limit}\n")
    (group / "memory.usage_in_bytes").write_text("600000\n")
    (group / "memory.stat").write_text("cache 1\ninactive_file 7\ntotal_inactive_file 100000\n")
    assert available_memory(proc, cgroups) == expected


def test_missing_groups_are_ignored_and_missing_meminfo_is_an_error(tmp_path: Path) -> None:
    proc, _ = machine(tmp_path, "x", {})
    (proc / "self" / "cgroup").write_text("12:memory:/v1\n")
    assert available_memory(proc, tmp_path / "none") == 4_096_000
    (proc / "meminfo").write_text("MemTotal: 1 kB\n")
    with pytest.raises(ValueError, match="MemAvailable"):
        available_memory(proc, tmp_path / "none")


def test_this_machine_can_be_read() -> None:
    assert 0 < available_memory() < 2**50
    assert load() >= 0


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 5})


@pytest.mark.usefixtures("four_cores")
@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, 4),
        ({"a/b": "max 100000"}, 4),
        ({"a/b": "250000 100000"}, 3),
        ({"a": "200000 100000", "a/b": "max 100000"}, 2),
        ({"a/b": "10000 100000"}, 1),
        ({"a/b": "900000 100000"}, 4),
        ({"a/b": "rubbish"}, 4),
        ({"a/b": "0 0"}, 4),
    ],
)
def test_cores_are_those_of_the_most_limited_group(limits: dict[str, str], expected: int, tmp_path: Path) -> None:
    proc, cgroups = machine(tmp_path, "a/b", {})
    for group, text in limits.items():
        (cgroups / group / "cpu.max").write_text(f"{text}\n")
    assert available_cores(proc, cgroups) == expected


@pytest.mark.usefixtures("four_cores")
@pytest.mark.parametrize(("quota", "expected"), [("150000", 2), ("-1", 4)])
def test_cores_of_groups_of_version_1_are_read_too(quota: str, expected: int, tmp_path: Path) -> None:
    proc, cgroups = machine(tmp_path, "", {})
    (proc / "self" / "cgroup").write_text("4:cpu,cpuacct:/a\n")
    (cgroups / "cpu" / "a").mkdir(parents=True)
    (cgroups / "cpu" / "a" / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (cgroups / "cpu" / "a" / "cpu.cfs_period_us").write_text("100000\n")
    assert available_cores(proc, cgroups) == expected


@pytest.mark.usefixtures("four_cores")
def test_what_a_batch_system_gave_limits_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = machine(tmp_path, "a/b", {})
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "2")
    assert available_cores(*places) == 2
    assert core_limit(*places).origin == "$SLURM_CPUS_PER_TASK"
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "64")
    assert available_cores(*places) == 4
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "1")
    assert available_memory(*places) == 0  # this process has more already
    assert memory_limit(*places).origin == "$SLURM_MEM_PER_NODE"


@pytest.mark.usefixtures("four_cores")
def test_smallest_limit_counts_and_says_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Affinity: 4 cores; control group: 3; Slurm: 8, then 2.  Control group: 1 MB; address space: nothing is left."""
    places = machine(tmp_path, "a", {"a": ("1000000", 0, 0)})
    assert core_limit(*places).origin == "the cores of this machine"
    (places[1] / "a" / "cpu.max").write_text("300000 100000\n")
    monkeypatch.setenv("SLURM_CPUS_ON_NODE", "8")
    assert (core_limit(*places).amount, core_limit(*places).origin) == (3, "a control group")
    monkeypatch.setenv("SLURM_CPUS_ON_NODE", "2")
    assert (core_limit(*places).amount, core_limit(*places).origin) == (2, "$SLURM_CPUS_ON_NODE")
    assert (memory_limit(*places).amount, memory_limit(*places).origin) == (1_000_000, "a control group")
    monkeypatch.setattr("resource.getrlimit", lambda _: (1, 1))
    assert (memory_limit(*places).amount, memory_limit(*places).origin) == (0, "ulimit -v")
    assert available_memory(*places) == 0
