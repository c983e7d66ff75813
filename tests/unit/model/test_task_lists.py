"""Runs are split into lists of about equal length; none is lost, none is in two lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wort_cli.model.task_lists import number_of_tasks, split, weights

LENGTHS = st.lists(st.none() | st.integers(0, 10**12), max_size=60)


@given(LENGTHS, st.integers(1, 20))
def test_each_run_is_in_one_list_and_no_list_is_empty(bases: list[int | None], tasks: int) -> None:
    lists = split(bases, tasks)
    assert sorted(position for positions in lists for position in positions) == list(range(len(bases)))
    assert len(lists) == min(tasks, len(bases)) and all(lists)
    assert all(positions == sorted(positions) for positions in lists)


@given(LENGTHS.filter(len), st.integers(1, 20))
def test_longest_list_is_within_the_bound_of_the_best(bases: list[int | None], tasks: int) -> None:
    """The best lists are no shorter than the longest run, nor than an equal share of all."""
    lengths = weights(bases)
    longest = max(sum(lengths[n] for n in positions) for positions in split(bases, tasks))
    at_least = max(*lengths, sum(lengths) / tasks)
    assert longest <= at_least + max(lengths) + 1e-3


@pytest.mark.parametrize(
    ("bases", "tasks", "lists"),
    [
        ([5, 5, 4, 4, 3, 3, 3], 3, [[0, 4, 6], [1, 5], [2, 3]]),
        ([None, 10, None, 30], 2, [[1, 3], [0, 2]]),
        ([None, None, None], 2, [[0, 2], [1]]),
        ([7], 5, [[0]]),
    ],
    ids=["known", "mean-for-unknown", "nothing-known", "fewer-runs-than-tasks"],
)
def test_lists_are_balanced(bases: list[int | None], tasks: int, lists: list[list[int]]) -> None:
    assert split(bases, tasks) == lists


@pytest.mark.parametrize(
    ("bases", "per_task", "tasks"),
    [([100, 100, 100], 100, 3), ([100, 100, 101], 100, 4), ([100, None, None], 150, 2), ([None], 5, 1), ([0], 5, 1)],
)
def test_number_of_tasks_follows_from_the_bases_of_each(bases: list[int | None], per_task: int, tasks: int) -> None:
    assert number_of_tasks(bases, per_task) == tasks
