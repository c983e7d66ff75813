"""Compiles a module of loops with numba, in a process of its own, and writes the machine code to stdout.

    python -m wort_cli.pipeline.sketching.compile_loops PARENT OWNER MODULE

PARENT is the process that waits for the code: without it, this one ends.  OWNER is the module with the Loops of MODULE.
The machine code is tried first: if it crashes, this process ends, and
not the one that waits for it; if it gives a wrong answer, that one finds out.
"""

import gc
import sys
from importlib import import_module
from typing import Any

from numba import from_dtype, types
from numba.core import compiler
from numba.core.registry import cpu_target

from wort_cli.pipeline.sketching.loop_files import Code, encode
from wort_cli.pipeline.sketching.loops import Argument, Array, Function, Loops
from wort_cli.system.parent import die_with


def compile_loops(loops: Loops) -> Code:
    """Return, for each function, the name of its symbol and an object file."""
    module = import_module(loops.module)
    return {
        function.name: compile_function(getattr(module, function.python_name), function) for function in loops.functions
    }


def compile_function(dispatcher: Any, function: Function) -> tuple[str, bytes]:
    """Compile one function without numba's wrappers for Python, and without its memory management."""
    typing, target = cpu_target.typing_context, cpu_target.target_context
    typing.refresh()
    target.refresh()
    flags: Any = compiler.Flags()
    flags.nrt, flags.no_cpython_wrapper, flags.no_cfunc_wrapper = False, True, True
    library = target.codegen().create_library(function.name)
    library.enable_object_caching()  # keeps the object file
    arguments = tuple(map(numba_type, function.arguments))
    result: Any = types.none if not function.results else types.int64
    if function.results > 1:
        result = types.UniTuple(types.int64, function.results)
    compiled = compiler.compile_extra(typing, target, dispatcher.py_func, arguments, result, flags, {}, library=library)
    _, _, (data, _) = library.serialize_using_object_code()
    return compiled.fndesc.llvm_func_name, data


def numba_type(argument: Argument) -> Any:
    """Return numba's type of an argument."""
    if isinstance(argument, Array):
        return types.Array(from_dtype(argument.dtype), argument.ndim, "C")
    return from_dtype(argument)


def main(parent: str, owner: str, module: str) -> None:
    """Compile, try and write the loops of a module."""
    die_with(int(parent))
    gc.disable()  # it would take an eighth of the time and find few cycles
    found = [value for value in vars(import_module(owner)).values() if isinstance(value, Loops)]
    loops = next(loops for loops in found if loops.module == module)
    code = compile_loops(loops)
    loops.try_code(code)
    sys.stdout.buffer.write(encode(code))


if __name__ == "__main__":
    main(*sys.argv[1:])
