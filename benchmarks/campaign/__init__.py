"""Simulates a campaign of millions of runs on many machines, with the decisions of wort itself.

    python -m benchmarks.campaign [--runs 1e7] [--machines 100] [--engine workers|tasks] [--seed 1] [--json FILE]
    python -m benchmarks.campaign.validation

The second command compares the simulation with a real, small campaign on this machine.

What is assumed:
- scenario.py reads scenario.toml, and costs.py prices.toml; both files name their sources
- sizes.py: how many bases runs have
- runs.py: the runs of a campaign, drawn in blocks from the seed, and the failures of attempts

What happens, in order; simulation.py puts it together:
- agenda.py: events, in the order of their times
- coordinator.py, tasks.py: who gives runs to machines: one coordinator, or the lists that `wort plan` makes
- dispatch.py: gives runs to workers that have room, and notes what happens to each run
- attempts.py: the course of an attempt
- losses.py: machines that are taken away
- decisions.py: what wort decides on the way, by its own code

What an attempt uses:
- machines.py: machines, and the workers on them
- servers.py: the archive, its locator and the store, with their outages
- pipes.py: links and servers that are used in turn

What comes out:
- figures.py: what is counted; costs.py: what it costs
- report.py, picture.py: tables, JSON and a chart
"""
