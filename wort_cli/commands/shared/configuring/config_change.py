"""Changes config.toml: one value, or the whole text in an editor.

A change is made while the unfinished new file is locked, so that two changes at a time follow each other.
"""

import difflib
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from wort_cli.errors import SettingsError, StorageProblem, UsageError, WortError, cause_of, shown
from wort_cli.setting_types import profiles_in
from wort_cli.settings import Settings, load_usable_settings
from wort_cli.system.atomic_files import atomic_file
from wort_cli.system.config_file import PROFILES_TABLE, parsed, read_config, with_value, without_value

EDIT = "`wort config edit` opens the file in an editor"


def setting_named(text: str) -> "Field[Any]":
    """Return a setting; UsageError names the nearest one."""
    known = {item.name: item for item in fields(Settings) if "parse" in item.metadata}
    name = text.replace("-", "_").replace(".", "_").lower()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, 1)
    raise UsageError(
        f"there is no setting {shown(text)}",
        f"did you mean {near[0]}?" if near else "`wort config show` lists all settings",
    )


def home_settings() -> Settings:
    """Return the settings of this environment as far as they can be used, to find the file of a broken one."""
    return load_usable_settings()[0]


def toml_value(value: Any) -> Any:
    """Return the value of a setting as config.toml has it."""
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def change(item: "Field[Any]", text: str | None) -> tuple[Path, Any, Any]:
    """Set a setting in config.toml, or remove it (None).  Return the file, and the values before and after.

    Raises SettingsError if the value or the file is invalid, UsageError if the line cannot be changed.
    """
    after = None
    if text is not None:
        try:
            text.encode()
            after = toml_value(item.metadata["parse"](text))
        except (ValueError, TypeError, RuntimeError) as error:
            raise SettingsError(item.name, "VALUE", cause_of(error)) from None
    file, before = home_settings().config_file, None

    def changed(content: bytes) -> bytes:
        nonlocal before
        old = content.decode()
        before = parsed(old).get(item.name)
        return (without_value(old, item.name) if text is None else with_value(old, item.name, after)).encode()

    try:
        rewrite(file, changed)
    except ValueError as error:
        raise UsageError(f"{shown(str(file), 200)} cannot be changed: {cause_of(error)}", EDIT) from None
    return file, before, after


def rewrite(file: Path, change: Callable[[bytes], bytes]) -> None:
    """Replace a file by what `change` makes of its content; its permissions stay, and a link to it stays one."""
    target = file.resolve()
    try:
        with atomic_file(target) as new:
            old = content_of(target)
            content = change(old)
            if target.exists():
                os.fchmod(new.fileno(), target.stat().st_mode & 0o777)
            new.write(content)
    except OSError as error:
        raise StorageProblem(f"cannot write {shown(str(file), 200)}: {cause_of(error)}") from None


def content_of(file: Path) -> bytes:
    """Return the content of a file; nothing if it does not exist."""
    return file.read_bytes() if file.exists() else b""


def copy_of(file: Path) -> Path:
    """Return a private copy of a file, for an editor."""
    try:
        descriptor, name = tempfile.mkstemp(".toml", "wort-config-")
        with os.fdopen(descriptor, "wb") as copy:
            copy.write(content_of(file))
    except OSError as error:
        raise StorageProblem(f"cannot copy {shown(str(file), 200)}: {cause_of(error)}") from None
    return Path(name)


def run_editor(file: Path) -> None:
    """Open a file in the user's editor, and wait until it ends.  Raises WortError if it fails."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or shutil.which("editor") or "vi"
    try:
        code = subprocess.run([*shlex.split(editor), file], check=False).returncode
    except (OSError, ValueError) as error:
        why = cause_of(error)
        raise UsageError(f"cannot start the editor {shown(editor)}: {why}", "set $VISUAL or $EDITOR") from None
    if code:
        raise WortError(
            f"the editor {shown(editor)} failed (exit code {code}); nothing was changed",
            f"your text is in {shown(str(file), 200)}",
        )


def faults_of(file: Path) -> list[SettingsError]:
    """Return what is wrong with a configuration file."""
    try:
        values = read_config(file)
    except SettingsError as fault:
        return [fault]
    known = {item.name: item for item in fields(Settings) if "parse" in item.metadata}
    faults = list[SettingsError]()
    profiles_in(values.pop(PROFILES_TABLE, {}), file, faults.append)
    for name, value in values.items():
        if name not in known:
            faults.append(SettingsError(name, str(file), "no such setting"))
            continue
        try:
            known[name].metadata["parse"](value)
        except (ValueError, TypeError, RuntimeError) as error:
            faults.append(SettingsError(name, str(file), str(error)))
    return faults


def replace(file: Path, before: bytes, copy: Path) -> None:
    """Replace a file by an edited copy, unless it was changed meanwhile."""

    def changed(content: bytes) -> bytes:
        if content != before:
            raise WortError(
                f"{shown(str(file), 200)} was changed while it was edited; nothing was saved",
                f"your text is in {shown(str(copy), 200)}",
            )
        return copy.read_bytes()

    rewrite(file, changed)
