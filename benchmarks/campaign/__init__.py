"""Simulates a campaign of millions of runs on many machines, with the decisions of wort itself.

    python -m benchmarks.campaign [--runs 1e7] [--machines 100] [--engine daemon|tasks] [--seed 1] [--json FILE]

- scenario.py reads the assumptions (scenario.toml) and prices (prices.toml), which name their sources
- sizes.py: how many bases runs have
- runs.py: the runs of a campaign, drawn in blocks from a seed
- decisions.py: wort's own decisions, about one run or one machine
- pipes.py: links and servers that are used in turn
- machines.py: machines, and the attempts that they run
- daemon.py, tasks.py: who gives runs to machines: one daemon, or lists that `wort plan` has made
- simulation.py: the events of a campaign
- figures.py: what is counted; costs.py: what it costs
- report.py, picture.py: tables, JSON and a chart
- validation.py: compares the simulation with a real daemon
"""
