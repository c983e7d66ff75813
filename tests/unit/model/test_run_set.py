"""A set of runs has each once, in order."""

from wort_cli.model.run_set import RunSet


def test_runs_are_in_the_set_once_and_in_order() -> None:
    runs = RunSet()
    for run in ("SRR000007", "SRR0000007", "ERR999999", "SRR000007", "DRR12345678", "SRR000000", "ERR1048576"):
        runs.add(run)
    assert len(runs) == 6
    assert list(runs) == ["DRR12345678", "ERR999999", "ERR1048576", "SRR000000", "SRR000007", "SRR0000007"]


def test_empty_set_has_no_runs() -> None:
    assert (len(RunSet()), list(RunSet())) == (0, [])
