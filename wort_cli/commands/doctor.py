"""`wort doctor`: checks what wort needs to compute signatures, and shows how to fix each problem."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

import wort_cli
from wort_cli.commands.shared.arguments.options import JsonOption, NoHeaderOption
from wort_cli.commands.shared.arguments.typed_names import typed_run
from wort_cli.commands.shared.checking.bucket_check import check_bucket
from wort_cli.commands.shared.checking.finding import STATES, Finding, lines_for_terminal
from wort_cli.commands.shared.checking.limit_check import check_limits
from wort_cli.commands.shared.configuring.job_limit import job_limit_set
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import MESSAGE, PROSE, TEXT, Document, Field, one_of
from wort_cli.commands.shared.showing.printing import Form, print_records
from wort_cli.commands.shared.showing.styles import STATE_STYLES, drawing
from wort_cli.errors import ExitCode, WortError, cause_of
from wort_cli.health.daemon_view import differences
from wort_cli.health.health_file import read_health
from wort_cli.health.status import health_of, read_status
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.queue_address import LOCAL
from wort_cli.model.units import format_bytes
from wort_cli.settings import Settings, default_settings, load_usable_settings
from wort_cli.system.daemon_lock import running_daemon
from wort_cli.system.environment import SRA_TOOLKIT, child_environment
from wort_cli.system.machine import nearest_existing
from wort_cli.system.network_disks import silent_directories
from wort_cli.versions import library_versions, tool_version

TOOLS = ("fastq-dump", "vdb-validate", "sra-stat", "srapath")
OLDEST_TOOLKIT = (3, 0)
LOW_SPACE = 1_000_000_000
"""Free bytes of a disk below which a warning is due."""
DOCUMENT = Document(
    "doctor",
    "The results of the checks.",
    rows="findings",
    row=(
        Field("state", one_of(STATES), "The result"),
        Field("what", TEXT, "The tool, directory or record that was checked"),
        MESSAGE,
        Field(
            "fix",
            PROSE,
            "How to fix a warning or a problem; its wording may change",
            optional=True,
        ),
    ),
    columns=("state", "what", "message", "fix"),
)


def doctor(
    repair: Annotated[
        bool, typer.Option("--repair", help="Repair what can be repaired automatically, and report it.")
    ] = False,
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="Read every signature and count every row, also in a store or a ledger above 100 MB."
        ),
    ] = False,
    run: Annotated[
        str, typer.Option("--run", metavar="ID", help="Check fetching with this run (default: a small public one).")
    ] = "",
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Check the installation, the settings and the stored data.

    Checks tools, directories, disk space, the ledger, the store, the daemon, the bucket, the configuration of the SRA
    toolkit, and the servers from which archives are fetched. The exit code is 1 if there is a problem.
    """
    from wort_cli.commands.shared.checking.fetching_check import SMALL_RUN, check_fetching
    from wort_cli.commands.shared.checking.follow_check import check_follows
    from wort_cli.commands.shared.checking.queue_check import check_queue
    from wort_cli.commands.shared.checking.repair import check_home, check_permissions, repair_ledger_file

    form = Form.of(as_json=as_json)
    fetched_run = typed_run(run) if run else SMALL_RUN
    open_to_others = list(check_permissions(default_settings(os.environ), repair=repair))
    if any(finding.state == "problem" for finding in open_to_others):  # nothing in the home is used
        show(open_to_others, form, header=not no_header)
    settings, faults = load_usable_settings()
    wrong = [Finding("problem", "settings", fault.sentence, fault.hint) for fault in faults]
    repaired = [*wrong, *open_to_others, *(repair_ledger_file(settings) if repair else [])]
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        check_libraries,
        check_limits,
        check_tools,
        check_sra_configuration,
        check_directories,
        check_archives,
        partial(check_fetching, run=fetched_run),
        check_ledger,
        check_daemon,
        check_queue,
        check_follows,
        check_bucket,
    )
    findings = [finding for check in checks for finding in check(settings)]
    findings = [*repaired, *findings, *check_home(settings, repair=repair, full=full)]
    show(findings, form, header=not no_header)


def show(findings: Sequence[Finding], form: Form, *, header: bool) -> None:
    """Show the findings, and exit with code 1 if one is a problem."""
    if form is Form.TERMINAL:
        styles = {f"^{re.escape(state)}(?= )": style for state, style in STATE_STYLES.items()}
        drawing(lines_for_terminal(findings, shutil.get_terminal_size().columns), styles)
    else:
        print_records(DOCUMENT, [finding.to_json() for finding in findings], form, header=header)
    if any(finding.state == "problem" for finding in findings):
        raise typer.Exit(int(ExitCode.SOME_FAILED))


def check_libraries(settings: Settings) -> Iterator[Finding]:
    """Report the versions that determine signatures, the engine and the decoder."""
    yield Finding("ok", "versions", ", ".join(f"{name} {version}" for name, version in library_versions().items()))
    jobs = job_limit_set(settings) or settings.jobs
    threads = settings.threads_per_job(jobs)
    use = f"{settings.engine}, {render.count(jobs, 'job')} at a time, {render.count(threads, 'thread')} each"
    if settings.engine == "kernel" and find_spec("numba") is None:
        yield Finding(
            "problem", "engine", f"{use}; numba is not installed", 'install numba, or set engine = "sourmash"'
        )
    else:
        yield Finding("ok", "engine", use)
    yield check_decoder(settings)


def check_decoder(settings: Settings) -> Finding:
    """Report which decoder the settings and this machine permit."""
    if settings.decoder == "fastq-dump" or settings.engine != "kernel":
        return Finding("ok", "decoder", "fastq-dump, by the settings")
    from wort_cli.pipeline.decoding import vdb_library
    from wort_cli.pipeline.sketching.slice_decoder import CannotDecode

    compared = "; ".join(f"{name} with fastq-dump {', '.join(tools)}" for name, tools in vdb_library.COMPARED.items())
    try:
        vdb_library.choose_library(settings.vdb_library)
        version = vdb_library.installed_version()
        vdb_library.check_versions(installed_version("fastq-dump"))
    except CannotDecode as error:
        cost = f"fastq-dump decodes all archives, which takes about twice as long: {error}"
        fix = "install libncbi-vdb (Debian 12: `apt install libncbi-vdb3`), or set vdb_library to its file; "
        return Finding("warning", "decoder", cost, f"{fix}versions that were compared: {compared}")
    return Finding("ok", "decoder", f"{vdb_library.linker_name()} {version}, else fastq-dump; compared: {compared}")


def installed_version(tool: str) -> str:
    """Return the version of a tool; '' if it is not installed or does not run (`check_tools` reports that)."""
    program = shutil.which(tool)
    try:
        return printed_version(program) if program else ""
    except (OSError, subprocess.SubprocessError):
        return ""


def printed_version(program: str) -> str:
    """Return the version that a tool of the SRA toolkit prints; raise OSError or SubprocessError if it does not run."""
    done = subprocess.run(
        [program, "--version"],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
        env=child_environment(SRA_TOOLKIT),
    )
    return tool_version(done.stdout)


def check_tools(settings: Settings) -> Iterator[Finding]:
    """Check that each tool of the SRA toolkit exists, runs, and is recent enough."""
    install = "install the SRA toolkit: `apt install sra-toolkit` (Debian, Ubuntu), conda, or NCBI's packages"
    for tool in TOOLS:
        program = shutil.which(tool)
        if program is None:
            yield Finding("problem", tool, "not in PATH", install)
            continue
        try:
            version = printed_version(program)
            outdated = tuple(int(part) for part in version.split(".")[:2]) < OLDEST_TOOLKIT
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            yield Finding("problem", tool, f"{program} does not run: {cause_of(error)}", install)
        else:
            yield Finding("warning" if outdated else "ok", tool, f"{version}, {program}", install if outdated else "")


def check_sra_configuration(settings: Settings) -> Iterator[Finding]:
    """Report the configuration that the SRA toolkit uses (vdb-config(1))."""
    for variable in ("VDB_CONFIG", "NCBI_SETTINGS"):
        value = os.environ.get(variable)
        if value and not Path(value).exists():
            yield Finding(
                "problem",
                f"${variable}",
                f"{value} does not exist, so the toolkit ignores it",
                f"correct the path, or unset {variable}",
            )
        elif value:
            yield Finding("ok", f"${variable}", value)
    user = Path.home() / ".ncbi" / "user-settings.mkfg"
    if "VDB_CONFIG" not in os.environ:
        yield Finding("ok", "SRA configuration", str(user) if user.exists() else "the toolkit's defaults")


def check_directories(settings: Settings) -> Iterator[Finding]:
    """Check that every directory of the home can be written and has free space."""
    for directory in dict.fromkeys((settings.data_dir, settings.state_dir, settings.cache_dir, settings.store_dir)):
        if silent := silent_directories([directory]):
            yield Finding("problem", str(directory), silent[0].sentence, silent[0].hint)
            continue
        existing = nearest_existing(directory)
        if not os.access(existing, os.W_OK):
            yield Finding(
                "problem",
                str(directory),
                f"{existing} can't be written",
                f"`chown`/`chmod` {existing}, or set WORT_HOME",
            )
            continue
        free = shutil.disk_usage(existing).free
        low = free < LOW_SPACE
        yield Finding(
            "warning" if low else "ok",
            str(directory),
            f"{format_bytes(free)} free",
            "free some space, or set WORT_HOME to a larger disk" if low else "",
        )


def check_archives(settings: Settings) -> Iterator[Finding]:
    """Check that the directories of the setting `archives` exist."""
    for directory in settings.archives:
        if silent := silent_directories([directory]):
            yield Finding("problem", "archives", silent[0].sentence, silent[0].hint)
        elif directory.is_dir():
            yield Finding("ok", "archives", str(directory))
        else:
            yield Finding(
                "problem",
                "archives",
                f"{directory} is not a directory",
                f"correct the setting `archives` (WORT_ARCHIVES, or {settings.config_file})",
            )


def check_ledger(settings: Settings) -> Iterator[Finding]:
    """Check that the ledger can be opened and is not corrupt."""
    if not settings.ledger_file.exists():
        yield Finding("ok", "ledger", "not created yet")
        return
    try:
        ledger = Ledger(settings.ledger_file)
        result = ledger.check()
        ledger.close()
    except WortError as error:
        yield Finding("problem", "ledger", error.sentence, error.hint)
        return
    if result == "ok":
        yield Finding("ok", "ledger", f"{format_bytes(settings.ledger_file.stat().st_size)}, {settings.ledger_file}")
    else:
        yield Finding("problem", "ledger", result, "`wort doctor --repair` replaces it by the newest intact backup")


def check_daemon(settings: Settings) -> Iterator[Finding]:
    """Check that the daemon is running, healthy, and of this version of wort."""
    daemon = running_daemon(settings.lock_file)
    if daemon is not None:
        ledger = Ledger(settings.ledger_file)
        for sentence in read_status(settings, ledger).problems:
            yield Finding("problem", "daemon", sentence, "see `wort logs --daemon`, and docs/troubleshooting.md")
        ledger.close()
    if daemon is None:
        hint = "`wort daemon start`, or use `wort compute --now`"
        if settings.queue != LOCAL:
            hint = "`wort daemon start` on the coordinator's host only; a host that computes needs `wort worker`"
        yield Finding("warning", "daemon", "not running", hint)
    elif daemon.version != wort_cli.__version__:
        yield Finding("warning", "daemon", f"runs wort {daemon.version}", "`wort daemon restart`")
    else:
        yield Finding("ok", "daemon", f"process {daemon.pid} {daemon.where or f'on this host, {daemon.host}'}")
    health = health_of(daemon, read_health(settings.health_file))
    if health is not None and health.server_url:
        yield Finding("ok", "server", f"process {health.server_pid}, {health.server_url}")
    hint = (
        "`wort daemon restart` gives it the values of this shell; or write settings to the file of `wort config path`"
    )
    for difference in differences(settings, os.environ) if daemon else ():
        yield Finding("warning", "daemon", render.printable(difference.sentence), hint)
