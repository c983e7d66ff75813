"""Loads libncbi-vdb into this process, and calls its functions.

The library is the one that the linker finds, or the file of the setting `vdb_library`.  A process loads only one.  It
is used only together with versions of fastq-dump that it was compared with: what fastq-dump writes depends on both
(layouts.py).

Source: ncbi-vdb interfaces/klib/{rc,namelist,ncbi-vdb-version}.h.
"""

import contextlib
import ctypes
import threading
from collections.abc import Iterator
from ctypes import byref, c_char_p, c_size_t, c_uint32, c_void_p
from functools import cache

from wort_cli.pipeline.sketching.slice_decoder import CannotDecode

SONAME = "libncbi-vdb.so.3"
"""The library of Debian's package libncbi-vdb3.  The number is the version of its ABI."""
LIBRARY = "libncbi-vdb"
"""Its name in the provenance; the names of its decoders start with it."""
COMPARED = {"3.0.2": ("3.0.3",)}
"""Versions of the library, each with the versions of fastq-dump that wrote the same reads in all comparisons."""
STATE, NOT_FOUND = 0x3F, 24
"""The bits of an rc_t that tell what is wrong, and their value for what does not exist (klib/rc.h, rcNotFound)."""
REQUIRED = (
    "SRAMgrMakeRead", "SRAMgrOpenAltTableRead", "SRATableOpenColumnRead", "SRAColumnRead", "SRATableGetVTableRead",
    "VDBManagerDisablePagemapThread", "VTableCreateCursorRead", "VCursorGetBlobDirect", "VBlobIdRange", "VBlobCellData",
    "VBlobRelease", "GetPackageVersion",
)  # fmt: skip
"""Functions that the decoder needs, and that some builds of the library lack."""


class Choice:
    """The library of this process."""

    path = ""
    """Its file; empty for the one that the linker finds."""


def choose_library(path: str) -> None:
    """Use the file of the setting `vdb_library`.  Raises CannotDecode if this process has loaded another one."""
    if path != Choice.path and load_library.cache_info().currsize:
        raise CannotDecode(f"this process has loaded {linker_name()} already, not {path or SONAME}")
    Choice.path = path


def linker_name() -> str:
    """Return the name of the library for the linker, or its path."""
    return Choice.path or SONAME


@cache
def load_library() -> ctypes.CDLL:
    """Load libncbi-vdb.  Raises CannotDecode if it is not installed."""
    try:
        library = ctypes.CDLL(linker_name())
    except OSError as error:
        raise CannotDecode(str(error)) from None
    if missing := [name for name in REQUIRED if not hasattr(library, name)]:
        raise CannotDecode(f"{linker_name()} does not have {', '.join(missing)}")
    return library


STARTING = threading.Lock()


def start_library() -> None:
    """Have the library read its configuration and its certificates: 0.04 s, once in a process.

    Raises CannotDecode if it is not installed, or cannot read them.
    """
    with STARTING:
        start_once()


@cache
def start_once() -> None:
    """Open and close a manager, with which the library starts."""
    load_library()
    manager = c_void_p()
    call_vdb("SRAMgrMakeRead", byref(manager))
    load_library().SRAMgrRelease(manager)


@cache
def installed_version() -> str:
    """Return the version of libncbi-vdb, such as 3.0.2.  Raises CannotDecode if it is not installed."""
    function = load_library().GetPackageVersion
    function.restype = c_char_p
    return (function() or b"").decode("ascii", "replace")


def check_versions(fastq_dump: str) -> None:
    """Raise CannotDecode unless the library was compared with this version of fastq-dump; '' if there is none."""
    version = installed_version()
    if version not in COMPARED:
        raise CannotDecode(f"libncbi-vdb {version} was not compared with any fastq-dump")
    if fastq_dump and fastq_dump not in COMPARED[version]:
        raise CannotDecode(f"libncbi-vdb {version} was not compared with fastq-dump {fastq_dump}")


def open_object(opened: contextlib.ExitStack, function: str, release: str, *arguments: object) -> c_void_p:
    """Call a library function that opens an object, and register its release with `opened`.

    Raises CannotDecode if it fails.  The pointer to the result is the second argument of the function, after the parent
    object; a function without a parent (`arguments` is a single None) has it first.
    """
    result = c_void_p()
    first, *rest = arguments
    before = () if first is None and not rest else (first,)
    call_vdb(function, *before, byref(result), *(rest if before else (None,)))
    opened.callback(getattr(load_library(), release), result)
    return result


def call_vdb(function: str, *arguments: object) -> None:
    """Call a library function that returns an rc_t.  Raises CannotDecode if that is an error."""
    code = getattr(load_library(), function)(*arguments)
    if code:
        raise VdbError(function, code)


class VdbError(CannotDecode):
    """A library function returned an error."""

    def __init__(self, function: str, code: int) -> None:
        super().__init__(f"{function}: {explain_rc(code)}")
        self.is_missing = code & STATE == NOT_FOUND
        """Whether what was asked for does not exist."""


def explain_rc(code: int) -> str:
    """Return the library's description of an rc_t (RCExplain, ncbi-vdb interfaces/klib/rc.h)."""
    text, size = ctypes.create_string_buffer(500), c_size_t()
    load_library().RCExplain(c_uint32(code & 0xFFFFFFFF), text, c_size_t(len(text)), byref(size))
    return text.value.decode("utf-8", "replace")


def list_names(opened: contextlib.ExitStack, function: str, parent: c_void_p) -> set[str]:
    """Return the names that a library function lists for `parent`, such as tables of a database."""
    return set(read_name_list(open_object(opened, function, "KNamelistRelease", parent)))


def read_name_list(names: c_void_p) -> Iterator[str]:
    """Yield the names in a KNamelist (ncbi-vdb interfaces/klib/namelist.h)."""
    count = c_uint32()
    call_vdb("KNamelistCount", names, byref(count))
    for number in range(count.value):
        name = c_char_p()
        call_vdb("KNamelistGet", names, c_uint32(number), byref(name))
        yield (name.value or b"").decode()
