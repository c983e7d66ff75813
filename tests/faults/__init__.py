"""The fault suite: a machine with many faults, and servers with faults.

plan.py       which jobs are submitted, and which faults occur when: pure, drawn from a seed
machine.py    a home on a small disk, a daemon that is restarted whenever it ends, a clock, a bucket
targets.py    finds out which process of the daemon is which
strikes.py    injects the faults of the plan
clerk.py      enqueues the jobs meanwhile, with the command line
verdict.py    checks the final state
campaign.py   runs all of that: `python -m tests.faults.campaign --seed 1`
servers.py    servers that never answer, break off, or answer garbage
"""
