"""The fault suite: a campaign of faults on one machine, and servers that misbehave.

plan.py       pure functions that draw the jobs and the faults from a seed
machine.py    a home on a small disk, a daemon that is restarted whenever it ends, a clock, a bucket
targets.py    identifies the processes of the daemon
strikes.py    injects the planned faults
clerk.py      enqueues the jobs meanwhile, with `wort compute`
verdict.py    checks the final state
campaign.py   runs all of these in order: `python -m tests.faults.campaign --seed 1`
servers.py    a server that imitates NCBI, and does not answer, breaks off or answers garbage
"""
