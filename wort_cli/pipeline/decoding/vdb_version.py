"""The version of libncbi-vdb, for the provenance of signatures whose reads it has decoded.

VDBManagerVersion does not tell it: that of 3.0.2 returns 2.7.30.  Source: ncbi-vdb interfaces/klib/ncbi-vdb-version.h.
"""

import ctypes

from wort_cli.pipeline.decoding.vdb import load_library
from wort_cli.versions import tool_version

LIBRARY = "libncbi-vdb"
"""Its name in the provenance; the names of its decoders start with it."""


def vdb_version() -> str:
    """Return the version of the library, such as 3.0.2.  Raises CannotDecode if it is not installed."""
    function = getattr(load_library(), "GetPackageVersion", None)
    if function is None:
        return "unknown"
    function.restype = ctypes.c_char_p
    return tool_version((function() or b"").decode("ascii", "replace")) or "unknown"
