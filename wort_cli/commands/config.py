"""`wort config`: the settings in effect, and the origin of each value."""

from dataclasses import fields

import typer

from wort_cli.commands.shared import render
from wort_cli.commands.shared.job_limit import job_limit_set
from wort_cli.commands.shared.options import JsonOption
from wort_cli.commands.shared.selection import usable_settings
from wort_cli.settings import Settings, load_settings

app = typer.Typer(help="Show the settings and where they come from.", no_args_is_help=True)


@app.command()
def show(as_json: JsonOption = False) -> None:
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
        text = ":".join(map(str, value)) if isinstance(value, tuple) else str(value)
        records.append(
            {
                "setting": item.name,
                "value": text,
                "from": origin,
                "about": item.metadata.get("description", "directory or file of this home"),
            }
        )
    render.table(("setting", "value", "from", "about"), records, as_json=as_json)


@app.command()
def path(as_json: JsonOption = False) -> None:
    """Show the path of the configuration file."""
    file = usable_settings().config_file
    if as_json:
        render.document({"path": str(file), "exists": file.exists()})
    else:
        render.result(str(file))
