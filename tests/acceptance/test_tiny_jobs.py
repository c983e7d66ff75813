"""Many jobs in a row leave nothing behind: a short run of benchmarks/tiny_jobs.py."""

from pathlib import Path

from benchmarks.tiny_jobs import run


def test_nothing_grows_with_the_number_of_jobs(tmp_path: Path) -> None:
    outcome = run(tmp_path, 200)
    assert outcome.done == 200
    growth = outcome.growth()
    del growth["memory"]  # it takes thousands of jobs to distinguish a leak from caches that fill up
    assert not [what for what, (before, after) in growth.items() if after > before], outcome.growth()
    # The daemon, two workers, Huey's scheduler, and perhaps two workers that fetch ahead.
    assert {sample.processes for sample in outcome.samples} <= {4, 5, 6}
    assert outcome.own < 200, outcome  # 20 ms on a quiet machine; this one may be busy
