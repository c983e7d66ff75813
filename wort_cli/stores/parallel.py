"""Applies a function to many items in threads, with few items in memory."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
AHEAD = 4
"""Items queued for each thread, so that no thread waits for the next item."""


def in_parallel(items: Iterable[T], do: Callable[[T], R], threads: int) -> Iterator[tuple[T, R | Exception]]:
    """Yield each item with the result or the exception of `do`, in the order of completion.

    `items` is iterated in the caller's thread.  When the caller stops iterating, no more items are started.
    """
    waiting = iter(items)
    running: dict[Future[R], T] = {}
    with ThreadPoolExecutor(threads, thread_name_prefix="transfer") as pool:
        try:
            while True:
                for item in islice(waiting, threads * AHEAD - len(running)):
                    running[pool.submit(do, item)] = item
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    error = future.exception()
                    if error is not None and not isinstance(error, Exception):
                        raise error
                    yield running.pop(future), error or future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
