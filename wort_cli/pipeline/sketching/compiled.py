"""The one way in which this package compiles loops to machine code: by numba, cached on the disk, without the GIL.

A module that uses it costs 0.3 s to import (numba itself); import it where it is needed, not at the top of a command.
The first call of a function loads it from the cache beside the module, or compiles it, which takes seconds.  The cache
is numba's own: it knows the processor and the source, and where the directory can't be written it goes elsewhere
(NUMBA_CACHE_DIR).  It does not know of other sources: a compiled function may call those of its own module only, or a
change of the others would go unnoticed.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

njit: Any
try:
    from numba import njit
except ImportError:  # where numba does not run: everything is as right, and slower; see engine.py
    njit = None

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile `function` when it is first called.  Arithmetic wraps around, and indices are not checked."""
    if njit is None:
        return function
    try:
        return cast(Function, njit(nogil=True, cache=True)(function))
    except RuntimeError:  # there is no directory for the cache that can be written
        return cast(Function, njit(nogil=True)(function))


def inner(function: Function) -> Function:
    """Compile a function that only compiled ones call; it is a part of them, in the cache too, and takes less time."""
    if njit is None:
        return function
    return cast(Function, njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function))
