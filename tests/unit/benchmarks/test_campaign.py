"""The simulator of campaigns: each run ends once, work adds up, and capacities hold."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.campaign import __main__ as command
from benchmarks.campaign.costs import UNITS, amounts, dollars, of_whole_archive, read_prices
from benchmarks.campaign.figures import BINS, Series
from benchmarks.campaign.picture import in_points, picture
from benchmarks.campaign.pipes import PIECE, Pipe
from benchmarks.campaign.report import document
from benchmarks.campaign.scenario import ENGINES, TASKS, WORKERS, Outage, Scenario, read_scenario
from benchmarks.campaign.simulation import Simulation
from benchmarks.campaign.sizes import fit
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.pipeline.reservations import Need

UNFAILING: dict[str, Any] = {"lasting": {}, "passing": {}, "outages": ()}
MEAN = 8.7e16 / 4.4e7


def scenario(**changes: Any) -> Scenario:
    """Return a small campaign; changes of the machine begin with `machine_`."""
    of_machine = {name: changes.pop(f"machine_{name}") for name in ("jobs", "cores") if f"machine_{name}" in changes}
    found = read_scenario(runs=300, machines=2, **changes)
    return replace(found, machine=replace(found.machine, **of_machine))


@pytest.mark.parametrize("engine", ENGINES)
def test_campaign_is_the_same_for_the_same_seed(engine: str) -> None:
    first, again, other = (
        document(one, Simulation(one).run(), read_prices())
        for one in (scenario(engine=engine, seed=5), scenario(engine=engine, seed=5), scenario(engine=engine, seed=6))
    )
    assert first == again
    assert first["bases"] != other["bases"]


@pytest.mark.parametrize("engine", ENGINES)
def test_command_prints_the_same_for_the_same_seed_in_every_process(engine: str) -> None:
    command_line = [sys.executable, "-m", "benchmarks.campaign", "--runs", "2e3", "--machines", "3", "--engine", engine]
    first, again = (
        subprocess.run(
            command_line,
            cwd=Path(command.__file__).parents[2],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    )
    assert b"the whole archive: days" in first
    assert first == again


@settings(max_examples=40, deadline=None)
@given(
    engine=st.sampled_from(ENGINES),
    seed=st.integers(0, 1000),
    machines=st.integers(1, 4),
    jobs=st.integers(1, 4),
    ahead=st.integers(0, 3),
    preempted=st.sampled_from((0.0, 0.5, 5.0)),
    passing=st.dictionaries(
        st.sampled_from((Reason.NETWORK, Reason.TOOL_CRASH, Reason.STORAGE_DOWN, Reason.TIMEOUT)), st.floats(0, 0.2)
    ),
    lasting=st.dictionaries(st.sampled_from((Reason.NOT_FOUND, Reason.CORRUPT, Reason.NO_READS)), st.floats(0, 0.3)),
    outage=st.sampled_from(((), (Outage(100, 4000, "archive"),), (Outage(0, 900, "store"),))),
    priorities=st.sampled_from((((0, 1.0),), ((0, 0.5), (5, 0.5)))),
)
def test_each_run_ends_once_and_work_adds_up(
    engine: str, seed: int, machines: int, jobs: int, ahead: int, preempted: float,
    passing: dict[Reason, float], lasting: dict[Reason, float], outage: tuple[Outage, ...],
    priorities: tuple[tuple[int, float], ...],
) -> None:  # fmt: skip
    found = read_scenario(runs=200, engine=engine, seed=seed, machines=machines, bases_per_task=2e10)
    one = replace(found.machine, jobs=jobs, cores=jobs, preempted_per_hour=preempted)
    found = replace(
        found, machine=one, fetch_ahead=ahead, passing=passing, lasting=lasting, outages=outage, priorities=priorities
    )
    simulation = Simulation(found)
    ended: list[int] = []
    done: list[float] = []
    count_end, count_done = simulation.dispatch.count_end, simulation.dispatch.done

    def note_end(state: JobState, reason: str, now: float) -> None:
        ended.append(len(ended))
        count_end(state, reason, now)

    simulation.dispatch.count_end = note_end  # type: ignore[method-assign]
    simulation.dispatch.done = lambda run, now: (done.append(run.bases), count_done(run, now))[1]  # type: ignore[method-assign,func-returns-value]
    figures = simulation.run()
    assert len(ended) == sum(figures.outcomes.values()) == figures.ended.total == found.runs
    assert figures.outcomes["done", ""] == len(done)
    assert figures.bases.total == pytest.approx(sum(done))
    running = sum(len(host.running) for host in simulation.hosts)
    assert (
        figures.attempts
        == len(done) + sum(figures.failures.values()) - found_lost(figures.failures) + figures.lost + running
    )
    assert figures.claims == (figures.attempts if engine == WORKERS else 0)
    assert figures.fetched >= sum(done) * found.bytes_per_base * 0.999
    assert figures.cpu >= sum(done) * found.per_base * 0.999
    span = figures.ended.last
    assert simulation.servers.archive.busy <= span + PIECE / found.in_all + 1
    if not running:
        assert all(host.reserved == Need() for host in simulation.hosts)
        assert all(worker.free == worker.slots for host in simulation.hosts for worker in host.workers)


def found_lost(failures: Any) -> int:
    """Return the failures that the coordinator found out after a machine was lost: those attempts count as lost."""
    return int(failures[Reason.INTERRUPTED])


def test_one_core_takes_the_sum_of_all_work() -> None:
    found = scenario(per_connection=1e15, in_all=1e15, locating=0.0, publishing=0.0, per_job=0.0, **UNFAILING)
    found = replace(
        found, machines=1, machine=replace(found.machine, jobs=1, cores=1, network=1e15, preempted_per_hour=0)
    )
    figures = Simulation(found).run()
    assert figures.ended.last == pytest.approx(figures.cpu, rel=1e-3)
    assert figures.bases.total * found.per_base + found.runs * found.per_run == pytest.approx(figures.cpu)


@pytest.mark.parametrize("engine", ENGINES)
def test_link_takes_at_least_the_time_of_its_bytes(engine: str) -> None:
    found = scenario(engine=engine, per_base=0.0, per_run=0.0, locating=0.0, per_job=0.0, publishing=0.0, **UNFAILING)
    found = replace(found, machines=1, machine=replace(found.machine, preempted_per_hour=0))
    figures = Simulation(found).run()
    least = figures.fetched / (found.connections * found.per_connection)
    assert least <= figures.ended.last * 1.001
    assert figures.ended.last < 1.2 * least


def test_coordinator_limits_how_many_jobs_start() -> None:
    found = scenario(per_job=10.0, **UNFAILING)
    figures = Simulation(found).run()
    assert figures.ended.last >= 10.0 * found.runs
    assert figures.at_90["coordinator"] > 0.95


def test_two_machines_take_half_the_time() -> None:
    one, two = (
        Simulation(replace(scenario(**UNFAILING), runs=5000, machines=number)).run().ended.time_to(0.9)
        for number in (1, 2)
    )
    assert one / two == pytest.approx(2, rel=0.1)


def test_preempted_machine_loses_its_attempts_until_their_leases_end() -> None:
    found = scenario(per_base=1e-7, **UNFAILING)
    sizes = replace(found.sizes, mu=20.7, sigma=0.01)  # runs of 100 seconds
    found = replace(found, sizes=sizes, machine=replace(found.machine, preempted_per_hour=4.0))
    figures = Simulation(found).run()
    assert figures.lost > 0
    assert figures.failures[Reason.INTERRUPTED] == 0  # a machine that falls silent is no failure of its jobs
    assert figures.outcomes["done", ""] == 300
    assert figures.cpu_lost > 0


def test_run_whose_machines_are_always_lost_is_set_aside() -> None:
    found = scenario(per_base=1e-4, **UNFAILING)
    found = replace(found, runs=5, machine=replace(found.machine, preempted_per_hour=60.0))
    figures = Simulation(found).run()
    assert figures.failures[Reason.INTERRUPTED] >= 3
    assert figures.outcomes["failed", Reason.SET_ASIDE] > 0


def test_run_that_fits_no_machine_is_left_waiting() -> None:
    found = scenario(**UNFAILING)
    found = replace(found, runs=50, sizes=replace(found.sizes, mu=30.0, sigma=0.1))
    figures = Simulation(found).run()
    assert {state for state, _ in figures.outcomes} == {"waiting"}
    assert {reason for _, reason in figures.outcomes} <= {Reason.DISK_LOW, Reason.MEMORY}


def test_runs_that_need_most_of_a_machine_go_to_different_machines() -> None:
    found = read_scenario(runs=8, machines=4, **UNFAILING)
    found = replace(
        found, sizes=replace(found.sizes, mu=27.5, sigma=0.01), machine=replace(found.machine, preempted_per_hour=0)
    )
    figures = Simulation(found).run()
    assert figures.outcomes["done", ""] == 8
    assert figures.failures[Reason.DISK_LOW] > 0
    assert figures.ended.last < 0.3 * figures.cpu  # a quarter, if nothing waits


def test_outage_of_the_store_costs_no_second_computation() -> None:
    usual = Simulation(scenario(**UNFAILING)).run()
    figures = Simulation(scenario(**UNFAILING | {"outages": (Outage(0, 1800, "store"),)})).run()
    assert figures.failures[Reason.STORAGE_DOWN] > 0
    assert figures.cpu - figures.cpu_lost == pytest.approx(usual.cpu - usual.cpu_lost, rel=0.05)


def test_failed_runs_of_tasks_are_planned_again() -> None:
    figures = Simulation(scenario(engine=TASKS, **UNFAILING | {"passing": {Reason.NETWORK: 0.3}})).run()
    assert figures.failures[Reason.NETWORK] > 50
    assert figures.outcomes["done", ""] == 300
    assert figures.tasks > 1


# ---- Parts


@pytest.mark.parametrize("sigma", (0.5, 1.8, 2.5))
def test_sizes_have_the_mean_of_the_archive(sigma: float) -> None:
    import numpy as np

    sizes = fit(MEAN, sigma, 1e4, 1e13)
    drawn = sizes.draw(np.random.default_rng(1), 2_000_000)
    assert drawn.mean() == pytest.approx(MEAN, rel=0.02 if sigma < 2 else 0.15)
    assert np.median(drawn) == pytest.approx(sizes.median, rel=0.02)
    assert drawn.min() >= 1e4
    assert drawn.max() <= 1e13


def test_lengths_are_drawn_from_a_list(tmp_path: Path) -> None:
    import numpy as np

    (tmp_path / "lengths").write_text("1e6\n2e6\n5e9\n")
    found = read_scenario(lengths=tmp_path / "lengths", runs=200, machines=2, outages=(), lasting={}, passing={})
    assert found.sizes.median == pytest.approx(2e6)
    assert set(found.sizes.draw(np.random.default_rng(1), 100)) == {1e6, 2e6, 5e9}
    figures = Simulation(found).run()
    assert figures.outcomes["done", ""] == 200
    assert 40 < figures.bases.total / 5e9 < 95


@pytest.mark.parametrize("text", ("", "0\n", "1e6\n-1\n", "many\n"))
@pytest.mark.filterwarnings("ignore:loadtxt")
def test_list_without_lengths_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "lengths").write_text(text)
    with pytest.raises(ValueError):
        read_scenario(lengths=tmp_path / "lengths")


def test_no_sizes_have_a_mean_outside_of_their_bounds() -> None:
    with pytest.raises(ValueError, match="no sizes"):
        fit(1e14, 1.8, 1e4, 1e13)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), min_size=1), st.floats(1, 1e6))
def test_pipe_never_serves_more_than_its_rate(requests: list[tuple[float, float]], rate: float) -> None:
    pipe, before = Pipe(rate), 0.0
    for at, amount in sorted(requests):
        served = pipe.serve(at, amount)
        assert served >= max(at, before) + amount / rate - 1e-6
        before = served
    assert pipe.busy <= before + 1e-6


@given(st.lists(st.tuples(st.floats(0, 1e7), st.floats(0.1, 100)), min_size=1))
def test_series_keeps_totals_and_order(amounts_at: list[tuple[float, float]]) -> None:
    series = Series()
    for at, amount in amounts_at:
        series.add(at, amount)
    assert series.total == pytest.approx(sum(amount for _, amount in amounts_at))
    assert len(series.amounts) == BINS
    times = [series.time_to(share) for share in (0.1, 0.5, 0.9, 0.99)]
    assert times == sorted(times)
    assert series.time_to(1.0) == max(at for at, _ in amounts_at)


def test_costs_are_those_of_the_table() -> None:
    found = scenario()
    figures = Simulation(found).run()
    taken = amounts(figures, found)
    assert set(taken) == UNITS
    assert dollars(taken, dict.fromkeys(UNITS, 2.0)) == {unit: 2 * taken[unit] for unit in taken}


def test_whole_archive_has_the_tail_of_a_part_once() -> None:
    taken = dict.fromkeys(UNITS, 10.0) | {"machine_hour": 2 * 5.0 + 1.0, "disk_gb_month": 1.1}
    times = {"99%": 5 * 3600.0, "100%": 6 * 3600.0}
    found = replace(scenario(), whole=1200.0, outages=())  # of which 300 runs on two machines are simulated
    seconds, grown = of_whole_archive(taken, times, found)
    assert seconds == 21 * 3600
    assert grown["machine_hour"] == pytest.approx(41)
    assert grown["disk_gb_month"] == pytest.approx(4.1)
    assert grown["get_1000"] == 40


def test_whole_archive_has_the_outages_that_are_assumed() -> None:
    taken = dict.fromkeys(UNITS, 10.0) | {"machine_hour": 10.0}
    times = {"99%": 5 * 3600.0, "100%": 5 * 3600.0}
    outages = (Outage(3600, 7200, "archive"), Outage(0, 9000, "store"), Outage(72_000, 79_200, "archive"))
    seconds, grown = of_whole_archive(taken, times, replace(scenario(), whole=1200.0, outages=outages))
    assert seconds == (4 * 4 + 1) * 3600  # 4 hours of work, four times; the second outage comes later
    assert grown["machine_hour"] == pytest.approx(34)
    seconds, _ = of_whole_archive(taken, times, replace(scenario(), whole=1800.0, outages=outages))
    assert seconds == (6 * 4 + 1 + 2) * 3600


def test_every_price_has_a_source_and_a_date() -> None:
    import tomllib

    table = tomllib.loads((Path(command.__file__).with_name("prices.toml")).read_text(encoding="utf-8"))
    assert all(set(entry) == {"price", "what", "source", "date", "checked"} for entry in table.values())


def test_incomplete_table_of_prices_is_refused(tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text("[get_1000]\nprice = 1\n")
    with pytest.raises(ValueError, match="machine_hour"):
        read_prices(tmp_path / "prices.toml")


def test_command_writes_the_result_and_a_chart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    to_json, to_svg = tmp_path / "found.json", tmp_path / "found.svg"
    words = ["--runs", "1e3", "--machines", "3", "--json", str(to_json), "--svg", str(to_svg)]
    monkeypatch.setattr(sys, "argv", ["campaign", *words])
    command.main()
    assert "limited by" in capsys.readouterr().out
    found = json.loads(to_json.read_text())
    assert sum(found["outcomes"].values()) == found["runs"] == 1000
    assert ET.fromstring(to_svg.read_text()).tag.endswith("svg")
    assert picture(found) == to_svg.read_text()


def test_chart_shows_all_bases() -> None:
    steps = [0.0, 5.0, 7.0, 0.0, 1.0]
    rates = in_points(steps, 60.0, 290.0)
    assert sum(rates) * 290.0 / 200 / 86_400 == pytest.approx(sum(steps))
