"""Settings: a flag of a command overrides an environment variable, which overrides config.toml, then the default.

The settings are the fields of `SettingFields`.  `WORT_HOME` moves all of wort's files below one directory.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from wort_cli.errors import NotPrivate, SettingsError, StorageProblem
from wort_cli.model import s3_target
from wort_cli.model.profile import Profile
from wort_cli.model.s3_target import S3Target
from wort_cli.setting_fields import SettingFields
from wort_cli.setting_types import profiles_in
from wort_cli.system.config_file import PROFILES_TABLE, read_config
from wort_cli.system.machine import available_cores
from wort_cli.system.network_disks import check_answers, wait_for_answers
from wort_cli.system.private_files import make_private, not_ours


@dataclass(frozen=True)
class Settings(SettingFields):
    """All settings, checked, and the paths of wort's files."""

    profiles: Mapping[str, Profile] = field(default_factory=dict, compare=False, repr=False)
    """The profiles that config.toml defines, by their names."""
    origins: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """The origin of each setting: `default`, the path of config.toml, or `$` and the environment variable."""

    @property
    def s3(self) -> S3Target | None:
        """The bucket to which signatures are published; None if none is set."""
        values = {key: getattr(self, f"s3_{key}") for key in s3_target.FROM_SETTINGS}
        return S3Target(**values) if self.s3_bucket else None

    @property
    def public(self) -> S3Target | None:
        """The public signatures; None if they are switched off."""
        return s3_target.public_target(self.s3_preset, self.s3_timeout)

    def threads_per_job(self, jobs: int) -> int:
        """Return the sketching threads of each job when `jobs` jobs run at a time."""
        return self.threads or max(1, available_cores() // jobs)

    @property
    def directories(self) -> tuple[Path, ...]:
        """The directories that every program needs."""
        return self.data_dir, self.state_dir, self.cache_dir, self.log_dir, self.store_dir

    def make_directories(self) -> None:
        """Create the directories, with mode 0700.  Raises StorageProblem if one cannot be created."""
        for directory in self.directories:
            try:
                make_private(directory)
            except OSError as error:
                raise StorageProblem(
                    f"cannot create {directory}: {error.strerror}", "check it with `wort doctor`, or set WORT_HOME"
                ) from error


def variable_of(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"WORT_{name.upper()}"


def load_usable_settings(environ: Mapping[str, str] | None = None) -> tuple[Settings, list[SettingsError]]:
    """Load the settings that can be used, and return why others cannot; those have their default.

    For commands that must work with any configuration.  Raises NotPrivate, and SettingsError for WORT_HOME.
    """
    faults: list[SettingsError] = []
    return load_settings(environ, faults.append), faults


def raise_fault(fault: SettingsError) -> None:
    """Raise an error."""
    raise fault


def load_settings(
    environ: Mapping[str, str] | None = None, refuse: Callable[[SettingsError], None] = raise_fault
) -> Settings:
    """Load the settings.

    `refuse` is called with each error of a setting that cannot be used: by default, the first is raised.
    Raises NotPrivate if others can have written the home.
    """
    environ = os.environ if environ is None else environ
    settings = default_settings(environ)
    check_answers(settings.roots)
    for path, why in not_ours(settings.roots, settings.inside):
        raise NotPrivate(path, why)
    values, origins, from_file = {}, {}, dict[str, Any]()
    try:
        from_file = read_config(settings.config_file)
    except SettingsError as fault:
        refuse(fault)
    profiles = profiles_in(from_file.pop(PROFILES_TABLE, {}), settings.config_file, refuse)
    for item in fields(Settings):
        if "parse" not in item.metadata:
            continue
        variable = variable_of(item.name)
        given = item.name in from_file
        origin, raw = (str(settings.config_file), from_file[item.name]) if given else ("default", None)
        if environ.get(variable):
            origin, raw = f"${variable}", environ[variable]
        if raw is not None:
            try:
                values[item.name] = item.metadata["parse"](raw)
            except (ValueError, TypeError, RuntimeError) as error:
                refuse(SettingsError(item.name, origin, str(error)))
                origin = "default"
        origins[item.name] = origin
    if unknown := set(from_file) - set(origins):
        refuse(SettingsError(min(unknown), str(settings.config_file), "no such setting"))
    values.setdefault("jobs", available_cores())
    wait_for_answers(values.get("answer_timeout", settings.answer_timeout))
    return replace(settings, **values, profiles=profiles, origins=origins)


def default_settings(environ: Mapping[str, str]) -> Settings:
    """Return the default settings, with directories below WORT_HOME or else in the platform's directories (XDG)."""
    home = environ.get("WORT_HOME")
    if home:
        try:
            root = Path(home).expanduser().absolute()
        except RuntimeError as error:  # there is no such user
            raise SettingsError("WORT_HOME", "$WORT_HOME", str(error)) from None
        return Settings(root, root, root, root / "config.toml")
    from platformdirs import PlatformDirs

    dirs = PlatformDirs("wort", appauthor=False)
    return Settings(
        dirs.user_data_path, dirs.user_state_path, dirs.user_cache_path, dirs.user_config_path / "config.toml"
    )
