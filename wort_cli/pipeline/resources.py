"""Decides whether this machine has enough disk and memory for a run, and reserves them.

The need of a run is estimated from its number of bases: a share of its k-mers is distinct, and one in `scaled` of them
is kept.  What running attempts have reserved is not available (reservations.py).  If there is too little, the job waits
with a reason that has the figures, instead of failing hours later.  An estimate may be too low: if the disk fills up
during the attempt, the job waits too (check.py).
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from wort_cli.model.failure import Failure, JobFailed, Reason
from wort_cli.model.profile import TRANSLATED, Profile
from wort_cli.model.units import format_bytes
from wort_cli.pipeline.archive_cache import ArchiveCache
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.pipeline.archives.references_beside import is_aligned
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.reservations import Need, Reservation, reservations, size_of
from wort_cli.pipeline.sketching.columns import smallest_scaled
from wort_cli.pipeline.sketching.slices import plan_slices
from wort_cli.pipeline.workspace import Workspace
from wort_cli.system.machine import Disk, available_memory, disk_of, total_memory

IN_SLICE = 16
"""Bytes per hash in the file of a finished slice: the hash and its count (slices.py)."""
SEALED = 11
"""Bytes per hash in a sealed signature: 17 digits and an abundance of 2 digits, gzipped (seal.py)."""
IN_MEMORY = 21
"""Bytes of memory per hash that is counted: table, buffer and merging; measured (hash_counts.py)."""
LEAST_WORK, LEAST_MEMORY = 20_000, 50_000_000
"""Bytes that the smallest run needs: disk for log and provenance, memory for buffers."""
ALIGNED, ALIGNED_BASE, ALIGNED_FACTOR = 3_000_000_000, 64_000_000, 20
"""Bytes of memory that a decoder of an aligned run takes, for the references that it keeps: at most, at least, and for
each byte of the archive and its references.  fastq-dump takes 1.5 to 9 GB for human runs.
"""
NOTHING = Need()


def estimate_need(bases: int, slices: int, threads: int, profiles: Sequence[Profile], share: float) -> Need:
    """Return the estimated need of a run of `bases`, if `share` of its k-mers are distinct."""
    columns = smallest_scaled(profiles).items()
    # Six reading frames have two k-mers of amino acids for each base.
    kept = [(2 if column.moltype in TRANSLATED else 1, scaled) for column, scaled in columns]
    hashes = sum(int(times * bases * share / scaled) for times, scaled in kept)
    # A k-mer that occurs in several slices is stored once per slice, so assume that all k-mers are distinct.
    in_slices = sum(int(times * bases / scaled) for times, scaled in kept) if slices > 1 else 0
    at_once = in_slices // slices * min(threads, slices)
    return Need(
        work=LEAST_WORK + in_slices * IN_SLICE + hashes * SEALED,
        store=LEAST_WORK + hashes * SEALED,
        memory=LEAST_MEMORY + (hashes + at_once) * IN_MEMORY,
    )


def decoder_memory(archive: Archive, total: int) -> int:
    """Return the bytes of memory that decoding one slice takes, on a machine of `total` bytes; 0 if it takes little."""
    if archive.path is None or not (archive.references or is_aligned(archive.path, unknown=False)):
        return 0
    sizes = [archive.size]
    for reference in archive.references:
        with contextlib.suppress(OSError):
            sizes.append(reference.path.stat().st_size if reference.path else 0)
    return min(ALIGNED, ALIGNED_BASE + ALIGNED_FACTOR * sum(sizes), total // 2)


def slices_at_once(threads: int, each: int, free: int) -> int:
    """Return how many slices to decode at a time, if each takes so much of the free memory; at least one."""
    return max(1, min(threads, free // each)) if each else threads


def find_shortage(
    need: Need,
    work: Disk,
    store: Disk,
    memory: int,
    disk_reserve: int = 0,
    memory_reserve: int = 0,
    reserved: Need = NOTHING,
) -> Failure | None:
    """Return why a run must wait: too little is free, or free but reserved; None if it may start."""
    if work.device == store.device:
        both = reserved.work + reserved.store
        demands = [(need.work + need.store, both, work, "the workspace and the signature need")]
    else:
        demands = [
            (need.work, reserved.work, work, "the workspace needs"),
            (need.store, reserved.store, store, "the signature needs"),
        ]
    for wanted, others, disk, what in demands:
        reserve = disk.reserve(disk_reserve)
        if disk.free - reserve - others < wanted:
            return Failure(
                Reason.DISK_LOW,
                f"{what} about {format_bytes(wanted)}; {format_bytes(disk.free)} are free at {disk.path}, "
                f"of which {describe_reserved(reserve, others)}",
            )
    if memory - memory_reserve - reserved.memory < need.memory:
        return Failure(
            Reason.MEMORY,
            f"the run needs about {format_bytes(need.memory)} of memory; {format_bytes(memory)} are available, "
            f"of which {describe_reserved(memory_reserve, reserved.memory)}",
        )
    return None


def describe_reserved(reserve: int, others: int) -> str:
    """Return a phrase about the bytes that this run may not use."""
    of_others = f", and other jobs have reserved {format_bytes(others)}" if others else ""
    return f"{format_bytes(reserve)} are kept in reserve{of_others}"


def reserve_resources(archive: Archive, spec: JobSpec, profiles: Sequence[Profile], workspace: Workspace) -> int:
    """Reserve the disk and memory that a run needs; return how many slices to decode at a time.

    These are fewer than `threads` if decoders take much memory and there is too little for all.  Slices that an earlier
    attempt finished need no more disk.  Raises JobFailed(disk-low or memory) if there is too little for one slice.
    """
    slices = len(plan_slices(archive.spots, archive.bases, spec.method.slice_bases))
    each = decoder_memory(archive, total_memory())
    return reserve_for_sketching(archive.bases, slices, each, spec, profiles, workspace)


def reserve_for_sketching(
    bases: int, slices: int, each: int, spec: JobSpec, profiles: Sequence[Profile], workspace: Workspace
) -> int:
    """Reserve what sketching so many bases needs; `each` is the memory in which one slice is decoded."""
    at_once = spec.threads

    def reserve() -> None:
        nonlocal at_once
        with reservations(spec.workspace.parent) as reserved:
            others = reserved.outstanding_of_others(workspace.attempt_directory, workspace.slices)
            memory = available_memory()
            need = estimate_need(bases, slices, spec.threads, profiles, spec.reserves.distinct_share)
            free = memory - spec.reserves.memory_reserve - others.memory - need.memory
            at_once = slices_at_once(spec.threads, each, free)
            need = replace(need, memory=need.memory + at_once * each)
            left = replace(need, work=max(LEAST_WORK, need.work - size_of(workspace.slices)))
            found = find_shortage(
                left,
                disk_of(spec.workspace),
                disk_of(spec.store),
                memory,
                spec.reserves.disk_reserve,
                spec.reserves.memory_reserve,
                others,
            )
            if found is not None:
                raise JobFailed(found.reason, found.detail)
            reserved.add(Reservation.now(workspace.attempt_directory, workspace.slices, need))

    with_room(spec, reserve)
    return at_once


def reserve_disk(size: int, spec: JobSpec, workspace: Workspace) -> None:
    """Reserve the disk for a download of `size` bytes; raise JobFailed(disk-low) if there is too little."""
    reserve_download(size, spec, workspace.attempt_directory, workspace.archive_directory)


def reserve_directory(size: int, spec: JobSpec, directory: Path) -> None:
    """Reserve the disk for a download of `size` bytes, as long as the directory exists that it goes to."""
    reserve_download(size, spec, directory, directory)


def reserve_download(size: int, spec: JobSpec, holder: Path, directory: Path) -> None:
    """Reserve the disk for a download into `directory`, as long as `holder` exists."""

    def reserve() -> None:
        disk = disk_of(spec.workspace)
        kept = disk.reserve(spec.reserves.disk_reserve)
        with reservations(spec.workspace.parent) as reserved:
            others = reserved.outstanding_of_others(holder, directory)
            taken = others.work + (others.store if disk.device == disk_of(spec.store).device else 0)
            if disk.free - kept - taken < size:
                raise JobFailed(
                    Reason.DISK_LOW,
                    f"the download will take {format_bytes(size)}; {format_bytes(disk.free)} are free at {disk.path}, "
                    f"of which {describe_reserved(kept, taken)}",
                )
            reserved.add(Reservation.now(holder, directory, Need(work=size_of(directory) + size)))

    with_room(spec, reserve)


def with_room(spec: JobSpec, reserve: Callable[[], None]) -> None:
    """Call `reserve` again after each archive that is removed from the cache, until there is enough disk for it."""
    cache = ArchiveCache.of(spec)
    while True:
        try:
            return reserve()
        except JobFailed as failed:
            if failed.failure.reason is not Reason.DISK_LOW or not cache.remove_oldest():
                raise
