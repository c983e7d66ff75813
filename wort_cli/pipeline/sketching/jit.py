"""Marks functions that numba compiles to machine code.  Only the compiler imports modules that use this: see loops.py.

The machine code has to run without numba, so that a loop may not allocate memory, and its caller lends it all arrays.
It must call only functions of its own module, and of lanes.py, because a change of other modules would not be noticed.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

njit: Any
try:
    from numba import njit
except ImportError:  # functions then run as plain Python
    njit = None

Function = TypeVar("Function", bound=Callable[..., Any])


def jit(function: Function) -> Function:
    """Compile `function`.  Integer overflow wraps around, and indices are not checked."""
    return function if njit is None else cast(Function, njit(_nrt=False)(function))


def jit_helper(function: Function) -> Function:
    """Compile a function that only compiled functions call; it compiles faster, because Python cannot call it."""
    if njit is None:
        return function
    return cast(Function, njit(_nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function))
