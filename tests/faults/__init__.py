"""The fault suite: a machine on which everything goes wrong, and servers that do.

plan.py       what is asked for and what goes wrong when: drawn from a seed, pure
machine.py    a home on a small disk, a daemon that is started again whenever it ends, a clock, a bucket
targets.py    which process of the daemon is which
strikes.py    carrying out what the plan says
clerk.py      asks for the jobs while all this happens, by the command line
verdict.py    what must be so in the end
campaign.py   all of that in its order: `python -m tests.faults.campaign --seed 1`
servers.py    servers that never answer, die in the midst of it, or answer rubbish
"""
