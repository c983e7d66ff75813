"""Runs the steps of the Containerfile in clean roots of Debian, without a container engine: `make container-check`.

Each stage is a copy of a root that debootstrap makes (about what `debian:*-slim` has).  FROM, ARG, SHELL, ENV, WORKDIR,
USER, COPY and RUN do what a container engine does; any other instruction that would change the files ends the script.
Then the image is used: the bundled archive is computed by its entry point, as its user.  Needs root, and debootstrap.

    python -m scripts.containerfile [--base DIRECTORY]     a root that debootstrap has made; it is not changed
"""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILE = ROOT / "Containerfile"
SUITES = {"12": "bookworm", "13": "trixie"}
MIRROR = "http://deb.debian.org/debian"
NO_EFFECT = ("ENTRYPOINT", "CMD", "VOLUME", "LABEL", "EXPOSE")
VARIABLE = re.compile(r"\$\{?(\w+)\}?")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True)
class Instruction:
    """An instruction of a Containerfile, with its continuation lines."""

    name: str
    value: str

    def words(self) -> list[str]:
        """Return the value as a list, which may be written as JSON."""
        return list(json.loads(self.value)) if self.value.startswith("[") else shlex.split(self.value)


@dataclass
class Stage:
    """A stage, and what the instructions so far have set."""

    root: Path
    directory: str = "/"
    user: str = "0:0"
    shell: list[str] = field(default_factory=lambda: ["/bin/sh", "-c"])
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    last: dict[str, list[str]] = field(default_factory=dict)
    """The last ENTRYPOINT and CMD."""

    def run(self, arguments: list[str]) -> None:
        """Run a command in the root, with /proc, the name servers and the certificates of this machine."""
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        passed = {key: value for key, value in os.environ.items() if key.lower().endswith("_proxy")}
        if CERTIFICATES.exists():
            shutil.copy(CERTIFICATES, self.root / "tmp/host-certificates.crt")
            passed["PIP_CERT"] = "/tmp/host-certificates.crt"
        home = "/root" if self.user == "0:0" else f"/home/{self.name_of_user()}"
        environment = {"HOME": home, "DEBIAN_FRONTEND": "noninteractive", **passed, **self.environment}
        os.makedirs(self.root / self.directory.lstrip("/"), exist_ok=True)  # noqa: PTH103
        inside = ["env", "-i", f"--chdir={self.directory}", *(f"{k}={v}" for k, v in environment.items()), *arguments]
        subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", f"--mount-proc={self.root / 'proc'}",
             "chroot", f"--userspec={self.user}", self.root, *inside],
            check=True,
        )  # fmt: skip

    def name_of_user(self) -> str:
        """Return the name of the user."""
        users = (line.split(":") for line in (self.root / "etc/passwd").read_text().splitlines())
        return next(user[0] for user in users if user[2] == self.user.split(":")[0])

    def path(self, text: str) -> Path:
        """Return the place of a path of the image."""
        inside = os.path.normpath(os.path.join(self.directory, text))  # noqa: PTH118
        return self.root / inside.lstrip("/")


def instructions(text: str) -> list[Instruction]:
    """Return the instructions of a Containerfile."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    whole = [line.strip() for line in re.sub(r"\\\n", " ", lines).splitlines() if line.strip()]
    return [Instruction(*line.split(None, 1)) for line in whole]


class Build:
    """The stages of a build."""

    def __init__(self, directory: Path, base: Path | None) -> None:
        self.directory = directory
        self.base = base
        self.arguments: dict[str, str] = {}
        self.stages: dict[str, Stage] = {}
        self.stage = Stage(directory)

    def execute(self, step: Instruction) -> None:
        """Do what an instruction says."""
        print(f"{step.name} {step.value}", flush=True)
        stage, value = self.stage, step.value
        if step.name == "ARG":
            name, _, default = value.partition("=")
            self.arguments[name] = default
        elif step.name == "FROM":
            image, *alias = VARIABLE.sub(lambda found: self.arguments[found[1]], value).split(" AS ")
            self.stage = Stage(self.new_root(image))
            self.stages[alias[0] if alias else ""] = self.stage
        elif step.name == "SHELL":
            stage.shell = step.words()
        elif step.name == "ENV":
            stage.environment |= dict(word.split("=", 1) for word in step.words())
        elif step.name == "WORKDIR":
            stage.directory = value
        elif step.name == "USER":
            stage.user = value
        elif step.name == "COPY":
            self.copy(step.words())
        elif step.name == "RUN":
            stage.run([*stage.shell, value])
        elif step.name in NO_EFFECT:
            stage.last[step.name] = step.words()
        else:
            raise SystemExit(f"{step.name}: unknown instruction")

    def new_root(self, image: str) -> Path:
        """Return a copy of the root of an image's release."""
        release = re.fullmatch(r"(?:docker\.io/library/)?debian:(\d+)-slim", image)
        if not release:
            raise SystemExit(f"{image} is not a release of Debian")
        if self.base is None:
            self.base = self.directory / "base"
            subprocess.run(["debootstrap", "--variant=minbase", SUITES[release[1]], self.base, MIRROR], check=True)
        root = self.directory / f"stage-{len(self.stages)}"
        subprocess.run(["cp", "-a", "--reflink=auto", self.base, root], check=True)
        return root

    def copy(self, words: list[str]) -> None:
        """Copy files of the checkout, or of another stage."""
        origin = ROOT
        if words[0].startswith("--from="):
            origin = self.stages[words.pop(0).removeprefix("--from=")].root
        *sources, target = words
        place = self.stage.path(target)
        if target.endswith("/") or len(sources) > 1:
            place.mkdir(parents=True, exist_ok=True)
        for source in sources:
            path = origin / source.lstrip("/")
            if path.is_dir():
                shutil.copytree(
                    path, place, symlinks=True, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("__pycache__") if origin == ROOT else None,
                )  # fmt: skip
            else:
                shutil.copy2(path, place)


def main() -> None:
    """Run the steps, and use the image."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path)
    base = parser.parse_args().base
    with tempfile.TemporaryDirectory(prefix="wort-image-", dir=os.environ.get("TMPDIR")) as directory:
        build = Build(Path(directory), base)
        for step in instructions(FILE.read_text(encoding="utf-8")):
            build.execute(step)
        image = build.stage
        shutil.copy(ROOT / "demo/phage.sra", image.path("phage.sra"))
        for words in (["compute", "phage.sra", "--now"], ["view", "phage"], ["--version"]):
            image.run([*image.last["ENTRYPOINT"], *words])
    print("the steps of the Containerfile succeed, and the image computes a signature", flush=True)


if __name__ == "__main__":
    main()
