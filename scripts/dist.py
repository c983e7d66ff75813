"""Builds the wheel and the sdist of the last commit, always with the same bytes: `python -m scripts.dist [DIRECTORY]`.

1. The files of the commit are exported, without anything else that lies in the checkout, with fixed modes.
2. setuptools builds both, in this environment, whose versions `constraints.txt` fixes; times are those of the commit.
3. The sdist, for which setuptools uses the time of the build, is packed again.

The wheel is built from the sdist, so that the sdist is known to be complete.  The directory is `dist` by default.
"""

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
UMASK = 0o022


def commit_time(root: Path = ROOT) -> int:
    """Return SOURCE_DATE_EPOCH, or the time of the last commit."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    return int(given or git(root, "log", "-1", "--format=%ct"))


def git(root: Path, *arguments: str) -> bytes:
    """Return what a git command prints."""
    return subprocess.run(["git", "-C", root, *arguments], check=True, capture_output=True).stdout


def export(root: Path, directory: Path) -> None:
    """Extract the files of the last commit; the umask decides their modes."""
    with tarfile.open(fileobj=io.BytesIO(git(root, "archive", "--format=tar", "HEAD"))) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python has it since 3.11.4
        for member in archive:
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            archive.extract(member, directory)


def build(source: Path, output: Path, epoch: int) -> list[Path]:
    """Build the sdist, and from it the wheel; return both."""
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", output, source],
        env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch), "PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
        umask=UMASK,
    )
    if done.returncode:
        raise SystemExit(f"{done.stdout}\n{done.stderr}")
    return sorted(output.iterdir())


def pack_again(sdist: Path, epoch: int) -> None:
    """Replace an sdist by one with the same files, in order, without the time and the user of the build."""
    content = io.BytesIO()
    with tarfile.open(sdist) as old, tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as new:
        for member in sorted(old.getmembers(), key=lambda member: member.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = epoch, 0, 0, "", ""
            member.pax_headers = {}
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    with sdist.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=epoch) as packed:
        packed.write(content.getvalue())


def make(output: Path, root: Path = ROOT) -> list[Path]:
    """Build both into a directory; return them."""
    epoch = commit_time(root)
    with tempfile.TemporaryDirectory() as directory:
        source, built = Path(directory, "source"), Path(directory, "built")
        source.mkdir()
        export(root, source)
        files = build(source, built, epoch)
        for file in files:
            if file.name.endswith(".tar.gz"):
                pack_again(file, epoch)
        output.mkdir(parents=True, exist_ok=True)
        return [Path(shutil.move(file, output / file.name)) for file in files]


def main() -> None:
    """Build, and print the paths."""
    for file in make(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist")):
        print(file)


if __name__ == "__main__":
    main()
