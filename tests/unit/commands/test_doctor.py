"""Tests of the checks of `wort doctor` that need no tools."""

import os
from pathlib import Path

import pytest

from wort_cli.commands.doctor import check_archives, check_ledger
from wort_cli.commands.shared.checking.finding import Finding
from wort_cli.commands.shared.checking.limit_check import check_limits, origin_of_cores
from wort_cli.commands.shared.configuring.job_limit import job_limit_set
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return the settings of a home with three jobs at a time."""
    return load_settings({"WORT_HOME": str(tmp_path), "WORT_JOBS": "3", "WORT_ARCHIVES": f"{tmp_path}:/nowhere"})


def test_job_limit_is_that_of_the_ledger_once_it_was_set(settings: Settings) -> None:
    assert job_limit_set(settings) is None
    ledger = Ledger(settings.ledger_file)
    assert job_limit_set(settings) is None
    ledger.controls.set_job_limit(5)
    assert job_limit_set(settings) == 5
    ledger.close()


def test_there_is_no_job_limit_when_the_ledger_is_damaged(settings: Settings) -> None:
    settings.ledger_file.write_text("hello\n" * 100)
    assert job_limit_set(settings) is None


def test_ledger_is_checked(settings: Settings) -> None:
    assert [finding.detail for finding in check_ledger(settings)] == ["not created yet"]
    Ledger(settings.ledger_file).close()
    assert [finding.state for finding in check_ledger(settings)] == ["ok"]
    settings.ledger_file.write_text("hello\n" * 100)
    assert [finding.state for finding in check_ledger(settings)] == ["problem"]


def test_missing_archive_directory_is_a_problem_with_a_fix(settings: Settings) -> None:
    good, bad = check_archives(settings)
    assert (good.state, good.fix) == ("ok", "")
    assert bad.state == "problem"
    assert "WORT_ARCHIVES" in bad.fix


def test_json_of_a_finding_has_stable_keys() -> None:
    finding = Finding("problem", "tool", "missing", "install it")
    assert finding.to_json() == {"state": "problem", "what": "tool", "message": "missing", "fix": "install it"}


def test_limit_above_the_memory_of_the_machine_is_none(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wort_cli.system.machine.memory_left", lambda *_: iter([9_223_372_036_854_771_712]))
    assert "memory" not in "".join(finding.detail for finding in check_limits(settings))


def test_limits_of_a_batch_system_are_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_CPUS_ON_NODE", "1")
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "1")
    (finding,) = check_limits(settings)
    assert finding.state == "ok" and "0 B of memory left ($SLURM_MEM_PER_NODE)" in finding.detail
    if len(os.sched_getaffinity(0)) > 1:
        assert "1 core ($SLURM_CPUS_ON_NODE)" in finding.detail
        assert origin_of_cores() == "default, by $SLURM_CPUS_ON_NODE"
