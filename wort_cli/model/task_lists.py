"""Splits runs into lists of about equal length, one for each task of a batch system."""

import heapq
import math
from collections.abc import Sequence
from statistics import fmean


def number_of_tasks(bases: Sequence[int | None], bases_per_task: int) -> int:
    """Return how many tasks have about `bases_per_task` bases each, if runs of unknown length are as long as others."""
    return max(1, math.ceil(sum(weights(bases)) / bases_per_task)) if any(bases) else 1


def split(bases: Sequence[int | None], tasks: int) -> list[list[int]]:
    """Return the positions of the runs of each task, in order; no task is empty.

    bases: the length of each run in bases; None counts as the mean of the others

    The longest run that is left goes to the task that has least (R. L. Graham, Bounds on multiprocessing timing
    anomalies, SIAM J. Appl. Math. 17, 1969): the longest task then has at most 4/3 of what the best lists would have.
    """
    lengths = weights(bases)
    lists: list[list[int]] = [[] for _ in range(min(tasks, len(lengths)))]
    totals = [(0.0, 0, task) for task in range(len(lists))]
    for position in sorted(range(len(lengths)), key=lambda n: (-lengths[n], n)):
        total, number, task = heapq.heappop(totals)
        lists[task].append(position)
        heapq.heappush(totals, (total + lengths[position], number + 1, task))
    return [sorted(positions) for positions in lists]


def weights(bases: Sequence[int | None]) -> list[float]:
    """Return the length of each run, and the mean of those that are known for one that is not."""
    known = [length for length in bases if length is not None]
    mean = fmean(known) if known else 1.0
    return [mean if length is None else float(length) for length in bases]
