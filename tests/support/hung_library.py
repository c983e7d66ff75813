"""A libncbi-vdb that hangs: hung_library.c, compiled."""

import subprocess
from pathlib import Path

from wort_cli.pipeline.decoding.vdb_library import SONAME


def hung_library(directory: Path) -> dict[str, str]:
    """Compile the library into a directory; return the environment of a wort for which it hangs in the second spot."""
    library, source = directory / "hung.so", Path(__file__).with_suffix(".c")
    words = ["-Wall", "-shared", "-fPIC", "-Wl,--no-as-needed", "-ldl", f"-l:{SONAME}"]
    subprocess.run(["cc", source, "-o", library, *words], check=True)
    return {"WORT_VDB_LIBRARY": str(library), "HANG_IN": "VBlobCellData"}
