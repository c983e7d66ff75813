"""`wort doctor`: is everything there that computing a signature needs, and how to mend what is not."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

import wort_cli
from wort_cli.commands.shared import render
from wort_cli.commands.shared.context import JsonOption
from wort_cli.errors import ExitCode, WortError
from wort_cli.health.status import read_status
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.units import format_bytes
from wort_cli.settings import Settings, load_settings
from wort_cli.stores.object_store import StoreError
from wort_cli.system.daemon_lock import running_daemon
from wort_cli.versions import library_versions, tool_version

TOOLS = ("fastq-dump", "vdb-validate", "sra-stat", "srapath")
OLDEST_TOOLKIT = (3, 0)
LITTLE_SPACE = 1_000_000_000
"""Bytes."""
LITTLE_SKEW, MOST_SKEW = 60, 15 * 60
"""Seconds between our clock and the server's: noteworthy, and refused by S3."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: ok, warning, problem or mended, and how to mend it."""

    state: str
    what: str
    detail: str
    mend: str = ""


def doctor(
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended, and say what was done.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Read every signature, however many there are.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check tools, directories, disk space, the ledger, the store, the daemon, the bucket and the SRA configuration."""
    from wort_cli.commands.shared.repair import look_over, mend_ledger_file

    settings = load_settings()
    mended = [Finding(*record) for record in mend_ledger_file(settings)] if repair else []
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        check_libraries,
        check_tools,
        check_sra_configuration,
        check_directories,
        check_archives,
        check_ledger,
        check_daemon,
        check_bucket,
    )
    findings = [finding for check in checks for finding in check(settings)]
    findings = [*mended, *findings, *(Finding(*record) for record in look_over(settings, repair=repair, full=full))]
    render.table(("state", "what", "detail", "mend"), [asdict(finding) for finding in findings], as_json=as_json)
    if any(finding.state == "problem" for finding in findings):
        raise typer.Exit(int(ExitCode.SOME_FAILED))


def check_libraries(settings: Settings) -> Iterator[Finding]:
    """Versions of what shapes signatures."""
    yield Finding("ok", "versions", ", ".join(f"{name} {version}" for name, version in library_versions().items()))
    use = f"{settings.engine}, {settings.jobs} jobs of {settings.threads_per_job(settings.jobs)} threads"
    if settings.engine == "kernel" and find_spec("numba") is None:
        yield Finding("problem", "engine", f"{use}; numba is missing", 'install numba, or set engine = "sourmash"')
    else:
        yield Finding("ok", "engine", use)
    yield Finding("ok", "decoder", decoder_in_use(settings))


def decoder_in_use(settings: Settings) -> str:
    """What decodes archives, as the settings and this machine have it."""
    if settings.decoder == "fastq-dump" or settings.engine != "kernel":
        return "fastq-dump"
    from wort_cli.pipeline.decoding import vdb
    from wort_cli.pipeline.sketching.slice_decoder import CannotDecode

    try:
        vdb.load_library()
    except CannotDecode as error:
        return f"fastq-dump; plain archives could be read without it: {error}"
    return f"{vdb.SONAME} for plain archives, else fastq-dump"


def check_tools(settings: Settings) -> Iterator[Finding]:
    """The SRA toolkit: there, able to run, not too old."""
    install = "install the SRA toolkit: Debian and Ubuntu `apt install sra-toolkit`, else conda or NCBI's own packages"
    for tool in TOOLS:
        program = shutil.which(tool)
        if program is None:
            yield Finding("problem", tool, "not on the PATH", install)
            continue
        try:
            said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
            version = tool_version(said)
            old = tuple(int(part) for part in version.split(".")[:2]) < OLDEST_TOOLKIT
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            yield Finding("problem", tool, f"{program} does not run: {error}", install)
        else:
            yield Finding("warning" if old else "ok", tool, f"{version}, {program}", install if old else "")


def check_sra_configuration(settings: Settings) -> Iterator[Finding]:
    """Which configuration the toolkit will use (vdb-config(1))."""
    for variable in ("VDB_CONFIG", "NCBI_SETTINGS"):
        value = os.environ.get(variable)
        if value and not Path(value).exists():
            yield Finding(
                "problem",
                f"${variable}",
                f"{value} does not exist, the toolkit passes over it",
                f"mend the path, or unset {variable}",
            )
        elif value:
            yield Finding("ok", f"${variable}", value)
    user = Path.home() / ".ncbi" / "user-settings.mkfg"
    if "VDB_CONFIG" not in os.environ:
        yield Finding("ok", "SRA configuration", str(user) if user.exists() else "the toolkit's defaults")


def check_directories(settings: Settings) -> Iterator[Finding]:
    """Every directory can be written, and has some space."""
    for directory in dict.fromkeys((settings.data_dir, settings.state_dir, settings.cache_dir, settings.store_dir)):
        existing = next(place for place in (directory, *directory.parents) if place.exists())
        if not os.access(existing, os.W_OK):
            yield Finding(
                "problem",
                str(directory),
                f"{existing} can't be written",
                f"`chown`/`chmod` {existing}, or set WORT_HOME",
            )
            continue
        free = shutil.disk_usage(existing).free
        little = free < LITTLE_SPACE
        yield Finding(
            "warning" if little else "ok",
            str(directory),
            f"{format_bytes(free)} free",
            "free some space, or set WORT_HOME to a larger disk" if little else "",
        )


def check_archives(settings: Settings) -> Iterator[Finding]:
    """The directories of the setting `archives` are there."""
    for directory in settings.archives:
        if directory.is_dir():
            yield Finding("ok", "archives", str(directory))
        else:
            yield Finding("problem", "archives", f"{directory} is not a directory", f"see {settings.config_file}")


def check_ledger(settings: Settings) -> Iterator[Finding]:
    """The ledger can be opened and is sound."""
    if not settings.ledger_file.exists():
        yield Finding("ok", "ledger", "none yet")
        return
    try:
        ledger = Ledger(settings.ledger_file)
        said = ledger.check()
        ledger.close()
    except WortError as error:
        yield Finding("problem", "ledger", error.sentence, error.hint)
        return
    if said == "ok":
        yield Finding("ok", "ledger", f"{settings.ledger_file}, {format_bytes(settings.ledger_file.stat().st_size)}")
    else:
        yield Finding("problem", "ledger", said, "`wort doctor --repair` puts the newest good copy in its place")


def check_bucket(settings: Settings) -> Iterator[Finding]:
    """The bucket can be read and written, its server knows conditional puts, and agrees with our clock."""
    if settings.s3 is None:
        yield Finding("ok", "bucket", "none is set, signatures stay on this machine")
        return
    from wort_cli.stores.s3 import S3Store

    try:
        store = S3Store(settings.s3)
        wrong = abs(store.server_time() - time.time())
        yield Finding("ok", "bucket", f"{settings.s3.root} can be listed")
        yield Finding(
            "ok" if wrong < LITTLE_SKEW else "warning" if wrong < MOST_SKEW else "problem",
            "clock",
            f"{render.duration(wrong)} apart from the server's",
            "" if wrong < LITTLE_SKEW else "set the clock of this machine (NTP): signed requests are refused",
        )
        if settings.s3_unsigned:
            yield Finding("ok", "bucket", "it is only read, without credentials (s3_unsigned)")
            return
        conditional = store.supports_conditional_puts()
    except StoreError as trouble:
        yield Finding("problem", "bucket", trouble.sentence, trouble.hint)
        return
    yield Finding("ok", "bucket", "it can be written")
    if conditional:
        yield Finding("ok", "conditional put", "an object that is there is not overwritten")
    else:
        yield Finding(
            "problem",
            "conditional put",
            "the server overwrites what is there, for all that it was asked not to",
            "turn versioning of the bucket off (Ceph), or use a newer server; see docs/s3.md",
        )


def check_daemon(settings: Settings) -> Iterator[Finding]:
    """Whether it runs, and is of this version."""
    daemon = running_daemon(settings.lock_file)
    if daemon is not None:
        ledger = Ledger(settings.ledger_file)
        for sentence in read_status(settings, ledger).problems:
            yield Finding("problem", "daemon", sentence, "see `wort logs --daemon`, and docs/troubleshooting.md")
        ledger.close()
    if daemon is None:
        yield Finding("warning", "daemon", "not running", "`wort daemon start`, or compute with --now")
    elif daemon.version != wort_cli.__version__:
        yield Finding("warning", "daemon", f"runs wort {daemon.version}", "`wort daemon restart`")
    else:
        yield Finding("ok", "daemon", f"process {daemon.pid}")
