"""Tests of the readings of memory and load from /proc and control groups."""

from pathlib import Path

import pytest

from wort_cli.system.machine import available_memory, load


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
