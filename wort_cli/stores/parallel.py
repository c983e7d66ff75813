"""Does the same to many things at a time, in threads, and holds no more of them than are being done."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
AHEAD = 4
"""Things that are ready for each thread, so that none waits for the next."""


def in_parallel(things: Iterable[T], do: Callable[[T], R], threads: int) -> Iterator[tuple[T, R | Exception]]:
    """Each thing, with what `do` returned or raised, as they are done.  When nobody asks on, no more are begun.

    `things` is asked in the caller's thread.
    """
    waiting = iter(things)
    doing: dict[Future[R], T] = {}
    with ThreadPoolExecutor(threads, thread_name_prefix="transfer") as pool:
        try:
            while True:
                for thing in islice(waiting, threads * AHEAD - len(doing)):
                    doing[pool.submit(do, thing)] = thing
                if not doing:
                    return
                done, _ = wait(doing, return_when=FIRST_COMPLETED)
                for future in done:
                    error = future.exception()
                    if error is not None and not isinstance(error, Exception):
                        raise error
                    yield doing.pop(future), error or future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
