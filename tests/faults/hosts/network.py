"""Hosts as network namespaces that a bridge joins; this process is on the bridge, and reaches all of them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.polling import until

BRIDGE, OWN_ADDRESS = "wortbr", "10.77.0.1/24"


def run(*words: str | Path) -> str:
    """Run a command that must succeed; return what it prints."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout


def make_hosts(number: int) -> list[Namespace]:
    """Create the bridge and so many hosts."""
    run("ip", "link", "add", "name", BRIDGE, "type", "bridge")
    run("ip", "addr", "add", OWN_ADDRESS, "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")
    return [Namespace(f"host{i}", 10 + i) for i in range(number)]


class Namespace:
    """A host: a network namespace with an address on the bridge."""

    def __init__(self, name: str, number: int) -> None:
        self.name, self.address = name, f"10.77.0.{number}"
        self._link = f"wl{number}"
        run("ip", "netns", "add", name)
        run("ip", "link", "add", self._link, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "link", "set", self._link, "master", BRIDGE)
        run("ip", "link", "set", self._link, "up")
        run("ip", "-n", name, "addr", "add", f"{self.address}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            run("ip", "-n", name, "link", "set", device, "up")

    @property
    def enter(self) -> tuple[str, ...]:
        """The words before a command that runs on this host."""
        return ("ip", "netns", "exec", self.name)

    @contextlib.contextmanager
    def cut(self) -> Iterator[None]:
        """Cut the link of the host within the context: packets are lost, and no connection is reset."""
        run("ip", "link", "set", self._link, "down")
        try:
            yield
        finally:
            run("ip", "link", "set", self._link, "up")

    def pids(self) -> list[int]:
        """Return the processes of the host."""
        return [int(pid) for pid in run("ip", "netns", "pids", self.name).split()]

    def kill(self) -> None:
        """Kill all processes of the host at once."""
        found = self.pids()
        for number in (signal.SIGSTOP, signal.SIGKILL):  # first stopped, so that none sees another one end
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        until(lambda: not self.pids(), f"{self.name} has no process", 60)
