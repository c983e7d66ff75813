"""The daemon and all its processes are killed together, again and again, as by memory.oom.group or systemd's MemoryMax.

The kernel's count of processes that it killed for memory is a file that is mounted over /proc/vmstat.
"""

import os
from pathlib import Path

from tests.support.homes import FASTQ_DUMP, Home
from tests.support.polling import until
from tests.support.processes import Process
from tests.support.shelf import Shelf

GUILTY, INNOCENT = "SRR000001", ("SRR000002", "SRR000003")
DEATHS = 5


def is_guard(process: Process) -> bool:
    return any(word.endswith("guard.py") for word in process.argv)


def kill_together(home: Home, vmstat: Path, death: int) -> None:
    """Kill all processes of a home at once, after the kernel has counted another kill."""
    vmstat.write_text(f"nr_free_pages 9\noom_kill {death}\n")

    def none_is_left() -> bool:  # a process may have started another one meanwhile
        left = home.processes()
        for process in left:
            process.kill()
        return not left

    until(none_is_left, "all have ended")


def test_job_that_takes_all_memory_is_found_and_no_other_is_set_aside(home: Home, shelf: Shelf, tmp_path: Path) -> None:
    for run in (GUILTY, *INNOCENT):
        home.keep(run, shelf.archive())
    together, vmstat = tmp_path / "together", tmp_path / "vmstat"
    together.touch()
    vmstat.write_text("oom_kill 0\n")
    env = home.with_tool(
        "fastq-dump",
        f'case " $* " in *" --fasta "*) while [[ -e {together} || "$*" == *{GUILTY}* ]]; do sleep 0.05; done;; esac\n'
        f'exec {FASTQ_DUMP} "$@"',
    )
    home.env |= {**env, "WORT_JOBS": "3"}
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    before = ("unshare", *user, "--mount", "bash", "-c", f'mount --bind {vmstat} /proc/vmstat && exec "$@"', "bash")
    home("compute", GUILTY, *INNOCENT).expect(0)
    for death in range(1, DEATHS + 1):
        home("daemon", "start", before=before).expect(0)
        if death == 1:
            until(lambda: sum(is_guard(process) for process in home.processes()) == 3, "all run")
        else:
            home.until_job(GUILTY, "running")
            until(lambda: any(is_guard(process) for process in home.processes()), "its tool has started")
            assert [job.name for job in home.jobs() if job.state == "running"] == [GUILTY], "it is tried alone"
        kill_together(home, vmstat, death)
        together.unlink(missing_ok=True)
    home("daemon", "start", before=before).expect(0)
    found = home.until_job(GUILTY, "failed")
    assert (found.reason, "the last time alone" in found.message) == ("set-aside", True)
    for run in INNOCENT:
        home.until_job(run, "done")
        assert [reason for state, reason in home.events(run) if state == "failed"] == []
        assert home.signature(run) == shelf.reference(shelf.archive(), run)
