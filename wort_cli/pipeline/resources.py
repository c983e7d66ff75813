"""Whether a run may begin here and now: pure decisions of what it will take and of what this machine has left.

What a run takes follows from its size alone, once it is resolved: so many bases, of which a share are distinct k-mers,
of which one in `scaled` is kept.  What runs at work have still to take is theirs (reservations.py).  Where there is not
enough, the job waits and says why, with figures; it does not begin and fail hours later.  An estimate may be wrong: a
disk that fills up on the way makes a job wait too (check.py).
"""

from wort_cli.model.failure import Failure, JobFailed, Reason
from wort_cli.model.profile import Profile
from wort_cli.model.units import format_bytes
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.reservations import Need, Reservation, reservations, size_of
from wort_cli.pipeline.sketching.slices import plan_slices
from wort_cli.pipeline.workspace import Workspace
from wort_cli.system.machine import Disk, available_memory, disk_of

IN_SLICE = 16
"""Bytes of a hash and its count in the file of a finished slice (slices.py)."""
SEALED = 11
"""Bytes of a hash and its abundance in a sealed signature: 17 and 2 digits, as gzip has them (seal.py)."""
IN_MEMORY = 21
"""Bytes of a hash that is being counted: table, buffer and what merging takes, measured (counts.py)."""
LEAST_WORK, LEAST_MEMORY = 20_000, 50_000_000
"""Bytes that the smallest run takes: log, provenance; buffers."""
NOTHING = Need()


def estimate_need(bases: int, slices: int, threads: int, profile: Profile, share: float) -> Need:
    """What a run of so many bases takes, if `share` of its k-mers are distinct; it is decoded in so many slices."""
    hashes = int(bases * share / profile.scaled) * len(profile.ksizes)
    # A k-mer that several slices have is in the file of each; at most, all of a slice's are distinct.
    in_slices = int(bases / profile.scaled) * len(profile.ksizes) if slices > 1 else 0
    at_once = in_slices // slices * min(threads, slices)
    return Need(
        work=LEAST_WORK + in_slices * IN_SLICE + hashes * SEALED,
        store=LEAST_WORK + hashes * SEALED,
        memory=LEAST_MEMORY + (hashes + at_once) * IN_MEMORY,
    )


def find_shortage(
    need: Need,
    work: Disk,
    store: Disk,
    memory: int,
    disk_reserve: int = 0,
    memory_reserve: int = 0,
    reserved: Need = NOTHING,
) -> Failure | None:
    """Why a run must wait: what it needs is not there, or promised to others.  None if it may begin."""
    if work.device == store.device:
        both = reserved.work + reserved.store
        demands = [(need.work + need.store, both, work, "the workspace and the signature")]
    else:
        demands = [
            (need.work, reserved.work, work, "the workspace"),
            (need.store, reserved.store, store, "the signature"),
        ]
    for wanted, others, disk, what in demands:
        reserve = disk.reserve(disk_reserve)
        if disk.free - reserve - others < wanted:
            return Failure(
                Reason.DISK_LOW,
                f"{what} will take about {format_bytes(wanted)}; {format_bytes(disk.free)} are free at {disk.path}, "
                f"of which {describe_reserved(reserve, others)}",
            )
    if memory - memory_reserve - reserved.memory < need.memory:
        return Failure(
            Reason.MEMORY,
            f"it will take about {format_bytes(need.memory)} of memory; {format_bytes(memory)} are available, "
            f"of which {describe_reserved(memory_reserve, reserved.memory)}",
        )
    return None


def describe_reserved(reserve: int, others: int) -> str:
    """What is not for this run."""
    of_others = f", and other jobs are going to take {format_bytes(others)}" if others else ""
    return f"{format_bytes(reserve)} are kept in reserve{of_others}"


def reserve_resources(archive: Archive, spec: JobSpec, profile: Profile, workspace: Workspace) -> None:
    """JobFailed(disk-low or memory) if there is too little for this run; what there is is then promised to it.

    Finished slices need no more space.
    """
    slices = len(plan_slices(archive.spots, archive.bases, spec.method.slice_bases))
    need = estimate_need(archive.bases, slices, spec.threads, profile, spec.reserves.distinct_share)
    left = Need(max(LEAST_WORK, need.work - size_of(workspace.slices)), need.store, need.memory)
    with reservations(spec.workspace.parent) as reserved:
        found = find_shortage(
            left,
            disk_of(spec.workspace),
            disk_of(spec.store),
            available_memory(),
            spec.reserves.disk_reserve,
            spec.reserves.memory_reserve,
            reserved.outstanding,
        )
        if found is not None:
            raise JobFailed(found.reason, found.detail)
        reserved.add(Reservation.now(workspace.attempt_directory, workspace.slices, need))
