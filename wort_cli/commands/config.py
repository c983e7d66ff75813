"""`wort config`: the settings in effect, and the origin of each value."""

from dataclasses import fields
from typing import Any

import typer

from wort_cli.commands.shared import render
from wort_cli.commands.shared.fields import BOOLEAN, ID, PATH, PROSE, TEXT, Document, Field, Kind
from wort_cli.commands.shared.job_limit import job_limit_set
from wort_cli.commands.shared.options import JsonOption, NoHeaderOption
from wort_cli.commands.shared.printing import Form, print_document, print_records
from wort_cli.commands.shared.selection import usable_settings
from wort_cli.settings import Settings, load_settings


def json_value(value: Any) -> Any:
    """Return the value of a setting as JSON has it."""
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return value if value is None or type(value) in (bool, int, float) else str(value)


def value_text(value: Any) -> str:
    """Return the value of a setting as the configuration file and the variables take it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:,g}" if not value.is_integer() else str(int(value))
    return ":".join(value) if isinstance(value, list) else str(value)


SHOWN = Document(
    "config show",
    "The settings in effect.",
    rows="settings",
    row=(
        Field("setting", ID, "The name of the setting"),
        Field(
            "value",
            Kind({"type": ["string", "number", "boolean", "array", "null"]}, value_text, kept=True),
            "Its value; sizes in bytes and times in seconds",
        ),
        Field("origin", TEXT, "Where the value comes from", title="from"),
        Field("about", PROSE, "What the setting does"),
    ),
    columns=("setting", "origin", "value", "about"),
)
LOCATION = Document(
    "config path",
    "The configuration file.",
    head=(Field("path", PATH, "The path of the file"), Field("exists", BOOLEAN, "Whether the file exists")),
)
app = typer.Typer(help="Show the settings and where they come from.", no_args_is_help=True)


@app.command()
def show(as_json: JsonOption = False, no_header: NoHeaderOption = False) -> None:
    """Show the value and the origin of every setting."""
    settings = load_settings()
    jobs = job_limit_set(settings)
    records = []
    for item in fields(Settings):
        if item.name == "origins":
            continue
        value = getattr(settings, item.name)
        origin = settings.origins.get(item.name, "WORT_HOME or the platform")
        if item.name == "jobs" and jobs is not None:
            value, origin = jobs, "`wort daemon jobs`"
        if item.name == "threads":
            value = settings.threads_per_job(jobs or settings.jobs)
        records.append(
            {
                "setting": item.name,
                "value": json_value(value),
                "origin": origin,
                "about": item.metadata.get("description", "directory or file of this home"),
            }
        )
    print_records(SHOWN, records, Form.of(as_json=as_json), header=not no_header)


@app.command()
def path(as_json: JsonOption = False) -> None:
    """Show the path of the configuration file."""
    file = usable_settings().config_file
    if as_json:
        print_document(LOCATION, {"path": str(file), "exists": file.exists()})
    else:
        render.result(str(file))
