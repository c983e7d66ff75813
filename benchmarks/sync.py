"""Measures speed and memory of pushing signatures, twice, to a Ceph gateway on loopback.

    python -m benchmarks.sync [NUMBER]

Each signature is two objects: the signature and its provenance.  The gateway runs on the same cores.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.ceph import ACCESS_KEY, SECRET_KEY, Ceph
from tests.support.signatures import make_recorded_signatures

BUCKET = "wort-benchmark"


def main() -> None:
    """Push, push again, and check."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as directory, Ceph(Path(directory) / "ceph") as ceph:
        ceph.client().create_bucket(Bucket=BUCKET)
        home = Path(directory) / "home"
        home.mkdir()
        make_recorded_signatures(home, number)
        env = os.environ | {
            "WORT_HOME": str(home),
            "WORT_S3_BUCKET": BUCKET,
            "WORT_S3_ENDPOINT": ceph.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        for words in (("push",), ("push",), ("check", "--quick")):
            started, out = time.monotonic(), Path(directory) / "out"
            with out.open("wb") as file:
                argv = [Path(sys.executable).with_name("wort"), "sync", *words]
                process = subprocess.Popen(argv, env=env, stdout=file)
                peak = peak_until_end(process)
            seconds, moved = time.monotonic() - started, len(out.read_text().splitlines())
            print(
                f"sync {' '.join(words)}: exit {process.returncode}, {seconds:.1f} s, "
                f"{moved / seconds:.0f} signatures/s, {2 * moved / seconds:.0f} objects/s, {peak / 1000:.0f} MB"
            )


def peak_until_end(process: "subprocess.Popen[bytes]") -> int:
    """Return the peak memory of a process in kilobytes, when it has ended.

    Its resource usage would include the memory of this process, from which it was forked.
    """
    peak = 0
    while process.poll() is None:
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
            peak = max(peak, *(int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)
        time.sleep(0.02)
    return peak


if __name__ == "__main__":
    main()
