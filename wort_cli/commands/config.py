"""`wort config`: the settings in effect, the origin of each value, and changes of config.toml."""

import os
import sys
from dataclasses import fields
from typing import Annotated, Any

import typer

from wort_cli.commands.shared.arguments.options import JsonOption, NoHeaderOption
from wort_cli.commands.shared.arguments.selection import usable_settings
from wort_cli.commands.shared.checking.limit_check import origin_of_cores
from wort_cli.commands.shared.configuring import config_change
from wort_cli.commands.shared.configuring.job_limit import job_limit_set
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import BOOLEAN, ID, PATH, PROSE, Document, Field, Kind
from wort_cli.commands.shared.showing.printing import Form, print_document, print_records
from wort_cli.errors import UsageError, shown
from wort_cli.model.queue_address import has_password, without_password
from wort_cli.setting_types import url_templates
from wort_cli.settings import Settings, variable_of


def json_value(value: Any) -> Any:
    """Return the value of a setting as JSON has it."""
    if isinstance(value, tuple | list):
        return [str(item) for item in value]
    return value if value is None or type(value) in (bool, int, float) else str(value)


def value_text(value: Any) -> str:
    """Return the value of a setting as the configuration file and the variables take it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:,g}" if not value.is_integer() else str(int(value))
    if isinstance(value, list):
        return (" " if any("://" in part for part in value) else ":").join(value)
    return str(value)


def or_off(parse: object, value: Any) -> Any:
    """Return the value of a setting, which `parse` parses, for people: `off` in place of an empty list of URLs."""
    return "off" if value in ((), []) and parse is url_templates else value


VALUE = Kind({"type": ["string", "number", "boolean", "array", "null"]}, value_text, kept=True)
SHOWN = Document(
    "config show",
    "The settings in effect.",
    rows="settings",
    row=(
        Field("setting", ID, "The name of the setting"),
        Field("value", VALUE, "Its value; sizes in bytes and times in seconds"),
        Field("origin", ID, "Where the value comes from", title="from"),
        Field("about", PROSE, "What the setting does"),
    ),
    columns=("setting", "origin", "value", "about"),
)
SHORT_COLUMNS = ("setting", "value", "origin")
"""The columns of a terminal that shows all settings."""
LOCATION = Document(
    "config path",
    "The configuration file.",
    head=(Field("path", PATH, "The path of the file"), Field("exists", BOOLEAN, "Whether the file exists")),
)
CHANGED = Document(
    "config set",
    "The setting that was changed.",
    head=(
        Field("path", PATH, "The path of the file"),
        Field("setting", ID, "The name of the setting"),
        Field("value", VALUE, "Its value in the file; null if the file does not set it"),
        Field("before", VALUE, "Its value in the file before; null if the file did not set it"),
    ),
)
app = typer.Typer(help="Show and change the settings.", no_args_is_help=True)


@app.command()
def show(
    names: Annotated[list[str] | None, typer.Argument(metavar="SETTING", help="Show these, and what they do.")] = None,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Show the value and the origin of every setting.

    \b
    Examples:
      wort config show
      wort config show jobs threads
    """
    shown_names = {config_change.setting_named(name).name for name in names or []}
    settings = usable_settings()
    jobs = job_limit_set(settings)
    records = []
    for item in fields(Settings):
        if item.name in ("origins", "profiles") or (shown_names and item.name not in shown_names):
            continue
        value = without_password(getattr(settings, item.name))
        origin = settings.origins.get(item.name, "WORT_HOME or the platform")
        if item.name == "jobs" and jobs is not None:
            value, origin = jobs, "`wort daemon jobs`"
        if item.name == "threads":
            value = settings.threads_per_job(jobs or settings.jobs)
        if item.name in ("jobs", "threads") and origin == "default":
            origin = origin_of_cores()
        records.append(
            {
                "setting": item.name,
                "value": json_value(value if as_json else or_off(item.metadata.get("parse"), value)),
                "origin": origin,
                "about": item.metadata.get("description", "directory or file of this home"),
            }
        )
    form = Form.of(as_json=as_json)
    short = form is Form.TERMINAL and not names
    print_records(SHOWN, records, form, header=not no_header, columns=SHORT_COLUMNS if short else ())
    if short:
        render.notice("`wort config show SETTING` says what a setting does")


@app.command()
def path(as_json: JsonOption = False) -> None:
    """Show the path of the configuration file."""
    file = usable_settings().config_file
    if as_json:
        print_document(LOCATION, {"path": str(file), "exists": file.exists()})
    else:
        render.result(str(file))


@app.command("set")
def set_(
    setting: Annotated[str, typer.Argument(metavar="SETTING", help="The setting, such as jobs or s3_bucket.")],
    value: Annotated[
        str | None, typer.Argument(metavar="VALUE", help="Its value, as an environment variable has it.")
    ] = None,
    unset: Annotated[bool, typer.Option("--unset", help="Remove the setting from the file.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Set one value in the configuration file.

    Its comments and its order stay.

    \b
    Examples:
      wort config set jobs 4
      wort config set archives /data/sra:/scratch/sra
      wort config set jobs --unset
    """
    if (value is None) is not unset:
        raise UsageError("give a VALUE, or --unset" if value is None else "VALUE and --unset exclude each other")
    if value is not None and has_password(value):
        raise UsageError(
            "other users of this machine can see a password in a command line",
            "write it with `wort config edit`, or into a file (setting `queue_password_file`)",
        )
    item = config_change.setting_named(setting)
    file, before, after = config_change.change(item, value)
    before = without_password(before)
    if as_json:
        print_document(CHANGED, {"path": str(file), "setting": item.name, "value": after, "before": json_value(before)})
    elif value is not None:
        text = value_text(or_off(item.metadata["parse"], after))
        render.result(f"{item.name} = {render.printable(text)}, in {render.printable(file)}")
    elif before is None:
        render.result(f"{item.name} was not set in {render.printable(file)}")
    else:
        render.result(f"{item.name} is no longer set in {render.printable(file)}")
    if os.environ.get(variable_of(item.name)):
        render.notice(f"${variable_of(item.name)} overrides it in this shell")


@app.command()
def edit() -> None:
    """Edit the configuration file with $VISUAL or $EDITOR.

    The editor gets a copy; only valid settings are saved. If the settings in it are invalid, the command asks what to
    do, or refuses them if there is no terminal.
    """
    settings = config_change.home_settings()
    copy = config_change.copy_of(settings.config_file)
    before = copy.read_bytes()
    while True:
        config_change.run_editor(copy)
        faults = config_change.faults_of(copy)
        for fault in faults:
            render.notice(f"wort: {render.printable(fault.sentence)}")
        if not faults:
            break
        answer = "q"
        if render.is_terminal(sys.stdin):
            answer = typer.prompt("edit again (e), save the invalid file (s), or change nothing (q)?", "e", err=True)
        if answer[:1].lower() == "s":
            break
        if answer[:1].lower() == "q":
            raise UsageError("nothing was changed", f"your text is in {shown(str(copy), 200)}")
    if copy.read_bytes() == before:
        render.notice("nothing was changed")
    else:
        config_change.replace(settings.config_file, before, copy)
        render.result(str(settings.config_file))
    copy.unlink()
