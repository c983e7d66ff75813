"""Finds what is wrong at the end of a campaign."""

import gzip

from tests.faults.hosts.world import World


def faults(world: World) -> list[str]:
    """Return a sentence for everything that is wrong after all jobs have ended."""
    return [*of_ledger(world), *of_bucket(world), *of_puts(world)]


def of_ledger(world: World) -> list[str]:
    """Each run has one job, and each job was done once."""
    home = world.coordinator.home
    jobs = home.jobs()
    wrong = [f"{job.name} is {job.state}: {job.reason} {job.message}" for job in jobs if job.state != "done"]
    if sorted(job.name for job in jobs) != sorted(world.names):
        wrong.append("the ledger has other jobs than were enqueued")
    twice = home.select("SELECT job_id, count(*) FROM events WHERE after = 'done' GROUP BY job_id HAVING count(*) != 1")
    return [*wrong, *(f"job {job} was done {times} times" for job, times in twice)]


def of_bucket(world: World) -> list[str]:
    """The bucket has the reference signature of each run, and no other."""
    objects = {name: gzip.decompress(content) for name, content in world.servers.objects().items()}
    wrong = [
        f"{name}: another signature in the bucket"
        for name, text in world.runs.references.items()
        if objects.get(name) != text
    ]
    return [*wrong, *(f"{name} is in the bucket, and no run" for name in objects.keys() - world.runs.references)]


def of_puts(world: World) -> list[str]:
    """Each signature was put into the bucket once."""
    puts = world.servers.puts()
    return [f"{name} was put {puts[name]} times" for name in world.names if puts[name] != 1]


def left(world: World) -> list[str]:
    """Return what is left in workspaces and in the queue; it goes when workers have heard of it."""
    work = [str(path) for worker in world.workers for path in worker.workspaces()]
    return [*work, *world.servers.queue.values()]
