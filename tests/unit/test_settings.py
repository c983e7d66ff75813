"""Tests of settings: precedence, defaults, refused values and the places of files."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from scripts.setting_docs import setting_docs
from wort_cli.errors import ExitCode, SettingsError, StorageProblem
from wort_cli.settings import Settings, load_settings


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def load(home: Path, config: str | None = None, **environ: str) -> Settings:
    """Load the settings of a home with this config.toml and these environment variables."""
    if config is not None:
        home.mkdir(exist_ok=True)
        (home / "config.toml").write_text(config)
    return load_settings({"WORT_HOME": str(home), **environ})


@pytest.mark.parametrize(
    ("config", "environ", "value", "origin"),
    [
        (None, {}, 300.0, "default"),
        ("", {}, 300.0, "default"),
        ("stall_timeout = 7", {}, 7.0, "config.toml"),
        ("stall_timeout = 7", {"WORT_STALL_TIMEOUT": "8.5"}, 8.5, "$WORT_STALL_TIMEOUT"),
        (None, {"WORT_STALL_TIMEOUT": "8"}, 8.0, "$WORT_STALL_TIMEOUT"),
        ("stall_timeout = 7", {"WORT_STALL_TIMEOUT": ""}, 7.0, "config.toml"),
    ],
)
def test_environment_overrides_the_file_which_overrides_the_default(
    home: Path, config: str | None, environ: dict[str, str], value: float, origin: str
) -> None:
    settings = load(home, config, **environ)
    assert settings.stall_timeout == value
    assert settings.origins["stall_timeout"].removeprefix(f"{home}/") == origin


def test_environment_of_the_process_is_read_by_default(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORT_HOME", str(home))
    monkeypatch.setenv("WORT_JOBS", "3")
    assert (load_settings().jobs, load_settings().data_dir) == (3, home)


def test_wort_home_contains_all_files(home: Path) -> None:
    settings = load(home)
    places = {value for name in dir(settings) if isinstance(value := getattr(settings, name), Path)} | {
        settings.job_log(1)
    }
    assert len(places) >= 10
    assert all(place.is_relative_to(home) for place in places)


def test_relative_wort_home_is_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings({"WORT_HOME": "there"}).data_dir == tmp_path / "there"


def test_tilde_in_wort_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings({"WORT_HOME": "~/wort"}).data_dir == tmp_path / "wort"


def test_without_wort_home_the_directories_of_the_platform_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("DATA", "STATE", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind))
    settings = load_settings({})
    assert settings.ledger_file == tmp_path / "DATA" / "wort" / "ledger.db"
    assert settings.store_dir == tmp_path / "DATA" / "wort" / "signatures"
    assert settings.daemon_log == tmp_path / "STATE" / "wort" / "logs" / "daemon.log"
    assert settings.work_dir == tmp_path / "CACHE" / "wort" / "work"
    assert settings.config_file == tmp_path / "CONFIG" / "wort" / "config.toml"


@pytest.fixture
def six_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wort_cli.settings.available_cores", lambda: 6)


@pytest.mark.usefixtures("six_cores")
def test_defaults_depend_on_the_number_of_cores(home: Path) -> None:
    settings = load(home)
    assert (settings.jobs, settings.threads_per_job(settings.jobs)) == (6, 1)
    assert (settings.profile, settings.engine, settings.archives) == ("sra-v1", "kernel", ())
    assert settings.slice_bases == 75_000_000


@pytest.mark.usefixtures("six_cores")
@pytest.mark.parametrize(
    ("jobs", "threads", "expected"),
    [("1", "", 6), ("4", "", 1), ("1000", "", 1), ("1000", "5", 5), ("1", "1", 1)],
)
def test_cores_are_shared_among_jobs_unless_threads_are_set(home: Path, jobs: str, threads: str, expected: int) -> None:
    settings = load(home, WORT_JOBS=jobs, WORT_THREADS=threads)
    assert settings.threads_per_job(settings.jobs) == expected


@pytest.mark.parametrize(
    ("config", "environ"),
    [('archives = ["/a", "~/b", "", "c"]', {}), ("", {"WORT_ARCHIVES": "/a:~/b::c"})],
)
def test_directories_are_a_list_in_the_file_and_colon_separated_in_the_environment(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, config: str, environ: dict[str, str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert load(home, config, **environ).archives == (Path("/a"), tmp_path / "b", tmp_path / "c")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("jobs", value) for value in ("0", "-1", "1025", "many", "1.5", "1e3", "9" * 5000)),
        ("threads", "0"),
        *(("lease", value) for value in ("0", "-1", "nan", "inf", "1e9", "soon", "1_0s")),
        ("profile", "SRA v2"),
        ("engine", "abacus"),
        ("archives", "~nobody-of-this-name/x"),
    ],
    ids=lambda value: value[:20],
)
def test_invalid_value_in_the_environment_is_refused_with_its_variable(home: Path, key: str, value: str) -> None:
    variable = f"WORT_{key.upper()}"
    with pytest.raises(SettingsError) as refusal:
        load(home, **{variable: value})
    error = refusal.value
    assert (error.key, error.origin, error.exit_code) == (key, f"${variable}", ExitCode.USAGE)
    assert key in error.sentence


@pytest.mark.parametrize(
    ("key", "config"),
    [
        ("jobs", "jobs = 0"),
        ("jobs", "jobs = 2.0"),
        ("jobs", "jobs = true"),
        ("jobs", "jobs = [2]"),
        ("jobs", 'jobs = "two"'),
        ("lease", "lease = true"),
        ("lease", "lease = nan"),
        ("lease", "lease = {}"),
        ("profile", "profile = 1"),
        ("profile", 'profile = ["sra-v1"]'),
        ("archives", "archives = 5"),
        ("archives", "archives = [5]"),
        ("archives", 'archives = ["~nobody-of-this-name/x"]'),
        ("colour", 'colour = "red"'),
        ("daemon", "[daemon]\njobs = 2"),
        ("data_dir", 'data_dir = "/elsewhere"'),
        ("origins", "origins = {}"),
        ("config.toml", "jobs ="),
        ("config.toml", "jobs = 1\njobs = 2"),
    ],
)
def test_invalid_file_is_refused_with_its_path(home: Path, key: str, config: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load(home, config)
    assert (refusal.value.key, refusal.value.origin) == (key, str(home / "config.toml"))


def test_file_that_is_not_text_is_refused(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"config\.toml"):
        load(home)


def test_directory_in_place_of_the_file_is_refused(home: Path) -> None:
    (home / "config.toml").mkdir(parents=True)
    with pytest.raises(SettingsError, match=r"config\.toml"):
        load(home)


def test_wort_home_of_an_unknown_user_is_refused() -> None:
    with pytest.raises((SettingsError, StorageProblem)):
        load_settings({"WORT_HOME": "~nobody-of-this-name/x"})


def test_directories_are_created_for_this_user_only(home: Path) -> None:
    before = os.umask(0)
    try:
        settings = load(home)
        settings.make_directories()
        settings.make_directories()
    finally:
        os.umask(before)
    for directory in (settings.data_dir, settings.state_dir, settings.cache_dir, settings.log_dir, settings.store_dir):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_directory_that_cannot_be_created_is_a_storage_problem(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("")
    with pytest.raises(StorageProblem, match=r"cannot create") as problem:
        load(tmp_path).make_directories()
    assert problem.value.exit_code is ExitCode.TEMPORARY


@pytest.mark.parametrize(
    ("job_id", "path"), [(1, "000000/1.log"), (999, "000000/999.log"), (1234567, "001234/1234567.log")]
)
def test_job_logs_are_spread_over_directories_of_a_thousand(home: Path, job_id: int, path: str) -> None:
    assert load(home).job_log(job_id) == home / "logs" / "jobs" / path


def test_settings_are_equal_whatever_their_origin(home: Path) -> None:
    values: dict[str, Any] = {"WORT_LEASE": "5"}
    assert load(home, **values) == load(home, "lease = 5")


def test_every_setting_is_documented_with_variable_default_and_description() -> None:
    docs = {doc.name: doc for doc in setting_docs()}
    assert len(docs) >= 45
    for name, doc in docs.items():
        assert doc.variable == f"WORT_{name.upper()}"
        assert doc.default
        assert doc.description.endswith(".")


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("jobs", "the number of cores"),
        ("lease", "60"),
        ("request_interval", "0.34"),
        ("slice_bases", "75000000"),
        ("engine", "kernel"),
        ("archives", "empty"),
        ("s3_bucket", "empty"),
        ("s3_unsigned", "false"),
        ("backups", "3"),
    ],
)
def test_default_is_documented_as_a_user_would_type_it(name: str, default: str) -> None:
    assert {doc.name: doc.default for doc in setting_docs()}[name] == default


def test_documented_defaults_are_accepted_and_change_nothing(home: Path) -> None:
    computed = {"jobs", "threads", "disk_reserve", "max_load"}
    typed = {doc.variable: doc.default for doc in setting_docs() if doc.name not in computed and doc.default != "empty"}
    assert load(home, None, **typed) == load(home)


@pytest.mark.parametrize(
    ("name", "why"), [("WORT_JOBS", "it must be an integer"), ("WORT_STALL_TIMEOUT", "it must be a number")]
)
def test_word_in_place_of_a_number_is_refused_without_the_words_of_python(name: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({"WORT_HOME": str(tmp_path), name: "many"})
    assert str(refused.value).endswith(f": {why}")
