"""Runs loops as machine code, which numba compiles once on a machine, in another process.

Importing numba and loading its own cache take a second, and 70 MB of memory in each process.  So a process that runs
loops never imports numba.  compile_loops.py compiles a module of loops in a child process, and returns object code;
this process keeps it in a file, loads it with LLVM (llvmlite), and calls it by ctypes.  A call releases the GIL.

Damaged code, or a faulty processor, would give wrong signatures at every run without any error.  So each module of
loops has a known answer: a small computation, and the digest of its right result, which sourmash and plain Python
confirm in the tests.  It is computed by the compiler's process, where a crash does no harm, and once in each process
that loads the loops.  If the result is wrong, the loops are compiled again.  If it is still wrong, the machine cannot
be trusted, and the job fails with `machine-error`.

Without numba, functions run as plain Python: the same results, but slowly; see engine.py.
"""

import ctypes
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.sketching.loop_files import Code, decode, one_compilation, read_code, save_code
from wort_cli.versions import library_version

LONGEST_COMPILATION = 900.0
"""Seconds; it takes some five on an idle machine."""
COMPILER = "wort_cli.pipeline.sketching.compile_loops"
SHARED_SOURCES = ("jit", "lanes", "loops", "compile_loops")
"""Modules of this directory that determine the machine code of all loops."""
PROCESSOR = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")
"""Environment variables with which numba compiles for another processor."""


@dataclass(frozen=True)
class Array:
    """The type of an argument that is a contiguous array."""

    dtype: Any
    ndim: int = 1

    def words(self, argument: Any) -> tuple[int, ...]:
        """Return an array as compiled code gets it: owner, parent, length, item size, address, shape, strides."""
        shape = argument.shape
        if argument.dtype != self.dtype or len(shape) != self.ndim or not argument.flags.c_contiguous:
            raise TypeError(f"not a contiguous array of {self.ndim} dimensions of {self.dtype}: {argument!r}")
        address = argument.__array_interface__["data"][0]
        return (0, 0, argument.size, argument.itemsize, address, *shape, *argument.strides)


INT, WORD = np.dtype(np.int64), np.dtype(np.uint64)
"""The types of arguments that are integers."""
Argument = Array | np.dtype[Any]


class Function:
    """A function of a module of loops.

    name: of the function in the module; `NAME:VARIANT` where it is compiled for arguments of several types
    arguments: the types of its arguments
    results: how many integers of 64 bits it returns: none, one, or a tuple
    """

    def __init__(self, loops: "Loops", name: str, arguments: tuple[Argument, ...], results: int) -> None:
        self.name = name
        self.python_name = name.partition(":")[0]
        self.arguments = arguments
        self.results = results
        self._loops = loops
        self._call: Callable[..., Any] = self._not_loaded

    def __call__(self, *arguments: Any) -> Any:
        if not self._loops.is_ready:
            self._loops.load()
        return self._call(*arguments)

    def _not_loaded(self, *_: Any) -> None:
        raise RuntimeError(f"{self.name} is called while its loops are loaded")

    def use_python(self, function: Callable[..., Any]) -> None:
        """Run the function as plain Python."""
        self._call = function

    def use_code(self, address: int) -> None:
        """Run machine code: a function with numba's calling convention (numba.core.callconv, CPUCallConv)."""
        n_words = sum(5 + 2 * kind.ndim if isinstance(kind, Array) else 1 for kind in self.arguments)
        prototype = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * 2, *[ctypes.c_uint64] * n_words)
        code = prototype(address)

        def call(*arguments: Any) -> Any:
            words: list[int] = []
            for kind, argument in zip(self.arguments, arguments, strict=True):
                if isinstance(kind, Array):
                    words.extend(kind.words(argument))
                else:
                    words.append(int(argument))
            results, error = (ctypes.c_int64 * max(1, self.results))(), ctypes.c_void_p()
            status = code(ctypes.addressof(results), ctypes.addressof(error), *words)
            if status:
                raise RuntimeError(f"{self.name} ended with status {status}")
            return (None, results[0])[self.results] if self.results <= 1 else tuple(results)

        self._call = call


being_loaded: set[str] = set()
"""The modules whose loops some thread of this process loads, or compiles, at present.  Others wait for them."""
being_compiled: set[str] = set()
"""Functions that are being compiled, by this process or by another one for which this one waits."""


class Loops:
    """The functions of a module, as machine code.

    module: the module; only the compiler imports it, or this process if there is no numba
    owner: the module in which the only instance for `module` is
    sources: other files that determine the machine code
    """

    def __init__(self, module: str, owner: str, sources: tuple[Path, ...] = ()) -> None:
        self.module = module
        self.functions: list[Function] = []
        self.compute: Callable[[], bytes] = bytes
        """Computes the known answer."""
        self.sha256 = hashlib.sha256(b"").hexdigest()
        """The digest of the known answer."""
        self.is_ready = False
        """Whether the loops are loaded and checked."""
        self._owner = owner
        self.sources = sources
        self._lock = threading.RLock()
        self._loading = False
        self._engines: list[Any] = []
        """Own the machine code; never emptied, because a thread may still run the code of an old one."""

    @property
    def name(self) -> str:
        """The name of the module without its packages."""
        return self.module.rpartition(".")[2]

    def function(self, name: str, *arguments: Argument, results: int = 0) -> Function:
        """Declare a function."""
        function = Function(self, name, arguments, results)
        self.functions.append(function)
        return function

    def known_answer(self, sha256: str) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
        """Declare a function that computes the known answer with these loops, and the digest of its right result."""

        def declare(compute: Callable[[], bytes]) -> Callable[[], bytes]:
            self.compute, self.sha256 = compute, sha256
            return compute

        return declare

    def load(self) -> None:
        """Load the loops, once in this process.  Raises JobFailed if they are wrong, or cannot be compiled."""
        if self.is_ready:
            return
        with self._lock:
            if self._loading or self.is_ready:  # `compute` calls functions that call this method
                return
            self._loading = True
            being_loaded.add(self.module)
            try:
                self._load()
                self.is_ready = True
            finally:
                self._loading = False
                being_loaded.discard(self.module)
                being_compiled.discard(self.module)

    def is_right(self) -> bool:
        """Return whether the functions give the known answer."""
        return hashlib.sha256(self.compute()).hexdigest() == self.sha256

    def _load(self) -> None:
        if find_spec("numba") is None:
            python = import_module(self.module)
            for function in self.functions:
                function.use_python(getattr(python, function.python_name))
            return
        found = self.code()
        if found is not None:
            self.use(found)
            if self.is_right():
                return
        being_compiled.add(self.module)
        with one_compilation(self.name):
            meanwhile = self.code()
            if meanwhile is not None and meanwhile != found:
                self.use(meanwhile)
                if self.is_right():
                    return
            compiled = self._compile()
            self.use(compiled)
            if not self.is_right():
                detail = f"the loops of {self.name} give a wrong result, also after they were compiled again"
                raise JobFailed(Reason.MACHINE_ERROR, detail)
            save_code(self._file_name(), compiled)

    def code(self) -> Code | None:
        """Return the machine code in the file; None if it is not there, or damaged."""
        return read_code(self._file_name())

    def try_code(self, code: Code) -> None:
        """Load machine code and compute the known answer with it, whether it is right or not."""
        with self._lock:
            self._loading = True
            self.use(code)
            self.is_right()
            self._loading = False

    def use(self, code: Code) -> None:
        """Load machine code: for each function the name of its symbol, and an object file."""
        import llvmlite.binding as llvm

        initialize(llvm)
        target = llvm.Target.from_default_triple().create_target_machine(jit=True)
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target)
        for _, data in code.values():
            engine.add_object_file(llvm.ObjectFileRef.from_data(data))
        engine.finalize_object()
        self._engines.append(engine)
        for function in self.functions:
            function.use_code(engine.get_function_address(code[function.name][0]))

    def _compile(self) -> Code:
        """Return the machine code that a child process compiles and tries."""
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", COMPILER, str(os.getpid()), self._owner, self.module],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=LONGEST_COMPILATION,
            )
        except subprocess.TimeoutExpired as error:
            why = f"compiling the loops of {self.name} takes longer than {LONGEST_COMPILATION:g} seconds"
            raise JobFailed(Reason.MACHINE_ERROR, why) from error
        code = decode(done.stdout) if done.returncode == 0 else None
        if code is None:
            lines = done.stderr.decode(errors="replace").strip().splitlines() or ["it wrote nothing"]
            why = f"numba cannot compile the loops of {self.name} (exit code {done.returncode}): {lines[-1][:300]}"
            raise JobFailed(Reason.MACHINE_ERROR, why)
        return code

    def _file_name(self) -> str:
        """Return the name of the file, with a digest of all that determines the machine code."""
        import llvmlite
        import llvmlite.binding as llvm

        here = Path(__file__).parent
        files = [
            Path(getattr(find_spec(self.module), "origin", "")),
            *(here / f"{name}.py" for name in SHARED_SOURCES),
            *self.sources,
        ]
        versions = (library_version("numba"), llvmlite.__version__, sys.version, llvm.get_default_triple())
        processor = (llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())
        overridden = tuple(os.environ.get(name, "") for name in PROCESSOR)
        parts = [*versions, *processor, *overridden, *(file.read_text(encoding="utf-8") for file in files)]
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return f"{self.name}-{digest[:20]}.loops"


@cache
def initialize(llvm: Any) -> None:
    """Prepare LLVM for this processor, once."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
