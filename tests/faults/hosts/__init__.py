"""A campaign of faults on several hosts: `python -m tests.faults.hosts --seed 1`.

Each host is a network namespace: the coordinator, two workers, and the servers of the queue and of the bucket, joined
by a bridge.  While jobs run, links are cut for longer than a lease, all processes of a host are killed at once, the
queue's server is killed and restarted or loses everything, and the clocks of the hosts differ by an hour.  Jobs are
enqueued in portions meanwhile, and some last longer than a strike.

At the end every job must be done, every signature must be the reference and must have been put into the bucket once,
and nothing may be left: no process, no workspace, nothing in the queue.
"""
