"""Compiles loops to machine code with numba.  Compiled code runs without the GIL and is cached on disk.

Importing numba takes 0.3 s: import a module that uses these decorators where it is needed, not at the top of a command.
The first call of a function loads its machine code from the cache, or compiles it, which takes seconds.  numba keeps
the cache in NUMBA_CACHE_DIR if that is set, else beside the module, or in the user's cache directory if the module's
directory is not writable.

A cache entry is valid for one processor type and one version of the function's source file.  numba does not notice that
another source file has changed, so a compiled function must call only functions of its own module, and of lanes.py.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

njit: Any
try:
    from numba import njit
except ImportError:  # functions then run as plain Python: the same results, but slowly; see engine.py
    njit = None

Function = TypeVar("Function", bound=Callable[..., Any])


def jit(function: Function) -> Function:
    """Compile `function` when it is first called.  Integer overflow wraps around, and indices are not checked."""
    if njit is None:
        return function
    try:
        return cast(Function, njit(nogil=True, cache=True)(function))
    except RuntimeError:  # no directory for the cache is writable
        return cast(Function, njit(nogil=True)(function))


def jit_helper(function: Function) -> Function:
    """Compile a function that only compiled functions call.

    It is cached as a part of its callers.  It compiles faster than with `jit`, because Python cannot call it.
    """
    if njit is None:
        return function
    return cast(Function, njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function))
