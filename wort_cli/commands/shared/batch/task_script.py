"""The shell script of a task, which all engines share: a home on the node's own disk, one process of wort, a report.

The script forwards the signals of the engine, waits for wort to end in order, and removes the home.  An engine's module
adds what comes before and after.
"""

import shlex
from dataclasses import replace

from wort_cli.commands.shared.batch.request import Batch

SIGNALS = ("TERM", "INT", "HUP", "USR1", "USR2", "XCPU")
"""Signals with which engines ask a task to end; see system/termination.py."""
KEEP = "--keep-slices"
CODES = """\
# Exit codes: 0 all is done, 3 no run has a signature, 1 a run needs a person (see the report),
# 127 wort does not run on this node, 75 or more than 128: another try may help.
# shellcheck disable=SC2016,SC2064,SC2317"""

SETUP = """\
set -u
dir={directory}
wort={program}
{variables}\
scratch=${{SLURM_TMPDIR:-${{TMPDIR:-/tmp}}}}
home=
trap '[ -z "$home" ] || rm -rf -- "$home"' EXIT
"""
COMPUTE = """\
say() {{ # a line of the log
    echo "$(date -u +%FT%TZ) $(uname -n): task $task $*"
}}

prepare() {{ # a home on the node's own disk; another try has the same one
    [ -z "$home" ] || return 0
    home=$(mktemp -d "$scratch/wort.XXXXXXXXXX") || return
    export WORT_HOME=$home
    report={report}
{config}\
}}

asked=
pid=
forward() {{ # the engine asks this task to end: so is wort, which puts its unfinished runs into the report
    asked=$1
    [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null
}}
for signal in {signals}; do
    trap "forward $signal" "$signal"
done

compute() {{
    version=$("$wort" --version) || {{
        say "cannot run $wort; it must be at this path on every node"
        return 127
    }}
    prepare || {{
        say "has no home below $scratch; is the disk full?"
        return 75
    }}
    say "starts with $version, in $home"
    # The report has what wort would print on standard output.
    "$wort" compute --from-file "$dir/tasks/task-$task.txt" --now --report "$report"{options} >/dev/null &
    pid=$!
    [ -z "$asked" ] || kill -TERM "$pid" 2>/dev/null
    while kill -0 "$pid" 2>/dev/null; do # a signal ends `wait` before wort has ended
        wait "$pid"
    done
    wait "$pid"
    code=$?
    say "ended with exit code $code"
    return "$code"
}}

try_again() {{ # try_again CODE: whether another try may help
    [ "$1" -eq 75 ] || [ "$1" -gt 128 ]
}}
"""


def setup(batch: Batch, *, directory: str = "") -> str:
    """Return the part of a script that says where everything is; `task` must be set before.

    directory: a shell word, if the task does not see the batch's directory
    """
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(batch.variables.items()))
    if KEEP in batch.options and not directory:  # tasks that share no directory share no key
        exports += 'export WORT_KEEP_SLICES_KEY="$dir/key"\n'
    return SETUP.format(
        directory=directory or shlex.quote(str(batch.directory)),
        program=shlex.quote(batch.program),
        variables=exports,
    )


def compute(batch: Batch, *, report: str = "") -> str:
    """Return the part of a script that defines `compute`, which runs wort and returns its exit code.

    report: a shell word, if the report is not in the batch's directory
    """
    copy = """\
    if ! { cp -- "$dir/config.toml" "$home/config.toml" && chmod 600 "$home/config.toml"; }; then
        rm -rf -- "$home"
        home=
        return 1
    fi
"""
    return COMPUTE.format(
        signals=" ".join(SIGNALS),
        config=copy if batch.has_config else "",
        report=report or '"$dir/reports/task-$task.jsonl"',
        options="".join(f" {shlex.quote(option)}" for option in batch.options),
    )


def own_cores(batch: Batch) -> Batch:
    """Return a batch with the number of cores as a variable of its tasks: the engine neither enforces nor shows it."""
    return replace(batch, variables={"WORT_THREADS": str(batch.cores), **batch.variables})


def retrying_script(batch: Batch, engine: str, log_if: str) -> str:
    """Return a script for engines that do not try a task again by its exit code: it does so itself.

    log_if: when the script writes into the log of the task, in the shell; empty for always
    """
    return f"""\
#!/bin/bash
# Computes the runs of one task, tasks/task-N.txt.  Usage: task.sh N
# Written by `wort batch {engine}`.
{CODES}
task=${{1:-${{HQ_TASK_ID:?usage: task.sh N}}}}
{setup(own_cores(batch))}{log_if}exec >>"$dir/logs/task-$task.log" 2>&1

{compute(batch)}
tries={batch.tries}
tried=0
while :; do
    compute
    code=$?
    tried=$((tried + 1))
    if ! try_again "$code" || [ -n "$asked" ] || [ "$tried" -ge "$tries" ]; then
        break
    fi
    sleep "${{WORT_BATCH_PAUSE:-60}}" &
    pid=$!
    wait "$pid"
done
exit "$code"
"""


def plain_script(batch: Batch, engine: str) -> str:
    """Return a script for engines that try a task again by its exit code."""
    return f"""\
#!/bin/bash
# Computes the runs of one task, tasks/task-N.txt.  Usage: task.sh N
# Written by `wort batch {engine}`.
{CODES}
task=${{1:?usage: task.sh N}}
{setup(own_cores(batch))}
{compute(batch)}
compute
exit
"""
