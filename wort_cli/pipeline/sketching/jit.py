"""Compiles loops to machine code with numba.  Compiled code runs without the GIL and is cached on disk.

Importing numba takes 0.3 s: import a module that uses these decorators where it is needed, not at the top of a command.
The first call of a function loads its machine code from the cache, or compiles it, which takes seconds.  numba keeps
the cache in NUMBA_CACHE_DIR if that is set, else beside the module, or in the user's cache directory if the module's
directory is not writable.

A cache entry is valid for one processor type and one version of the function's source file.  numba does not notice that
another source file has changed, so a compiled function must call only functions of its own module, and of lanes.py.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, cast

UNUSED = ("cffi", "coverage")
"""Modules that numba imports where they are installed, for features that no loop here uses."""


@contextlib.contextmanager
def hidden(modules: Sequence[str]) -> Iterator[None]:
    """Let importing `modules` fail, as if they were not installed, unless they are imported already."""
    absent = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            if sys.modules.get(name, sys) is None:
                del sys.modules[name]


njit: Any
try:
    with hidden(UNUSED):
        from numba import njit
        from numba.core.typing import cffi_utils  # noqa: F401 (imports cffi)
except ImportError:  # functions then run as plain Python: the same results, but slowly; see engine.py
    njit = None


def load_numba() -> None:
    """Import all of numba, which the first call of a compiled function would do; but not scipy, for linear algebra.

    That saves a fifth of a second.
    """
    if njit is None:
        return
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.registry import cpu_target
    from numba.np import linalg

    def fail() -> None:
        raise ImportError("no loop here uses it")

    # numba makes the contexts when they are first used, under a lock of their own.  Taking that lock inside the other
    # one would block for ever if another thread uses numba for the first time now.
    contexts = cpu_target.typing_context, cpu_target.target_context
    with global_compiler_lock:
        ensure_blas, linalg.ensure_blas = linalg.ensure_blas, fail
        try:
            for context in contexts:
                context.refresh()
        finally:
            linalg.ensure_blas = ensure_blas


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
