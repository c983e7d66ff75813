"""A small internet in a network namespace: public addresses on the loopback, DNS names, and misbehaving servers.

`python -m tests.support.public_network` sets it up, tries every case of CASES in it with the real client, runs the
commands from standard input, and prints one JSON document.  `enter` starts it in a namespace, as root or as any user
who may create one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.public_servers import PUBLIC, PUBLIC_6, Secret, Site, start_servers
from wort_cli.reading.refusal import Refusal
from wort_cli.submission.public_url import Client, Unreachable

ADDRESSES = (PUBLIC, "8.8.8.8")
SECONDS = 1.5
"""The deadline of the client in each case."""

# case: the URL, and a pattern of the outcome; "answers" for a valid URL
CASES: dict[str, tuple[str, str]] = {
    "an address": ("http://8.8.4.4/ok", "answers"),
    "an IPv6 address": (f"http://[{PUBLIC_6}]/ok", "answers"),
    "a mapped public address": ("http://[::ffff:8.8.4.4]/ok", "answers"),
    "a name": ("http://public.example/ok", "answers"),
    "another port": ("http://public.example:8080/ok", "answers"),
    "https": ("https://public.example/ok", "answers"),
    "https of another name": ("https://other.example/ok", "does not answer"),
    "a server without HEAD": ("http://8.8.4.4/no-head", "answers"),
    "a redirect": ("http://public.example/to/ok", "answers"),
    "five redirects": ("http://public.example/hops/5", "answers"),
    "six redirects": ("http://public.example/hops/6", "more than 5 times"),
    "a redirect in a circle": ("http://public.example/circle", "more than 5 times"),
    "a redirect to this machine": ("http://public.example/to-private", "this machine"),
    "a redirect to a private name": ("http://public.example/to-private-name", "this machine"),
    "a redirect to a file": ("http://public.example/to-file", "neither http:// nor https://"),
    "a redirect with a password": ("http://public.example/to-password", "password"),
    "a redirect to nowhere": ("http://public.example/to-nowhere", "redirects without a Location"),
    "a missing page": ("http://public.example/404", "status 404"),
    "a server error": ("http://public.example/500", "status 500"),
    "a private name": ("http://private.example/ok", "this machine"),
    "the metadata of a cloud": ("http://metadata.example/latest", "link-local|private"),
    "a name with a public and a private address": ("http://mixed.example/ok", "private"),
    "a name that is rebound to a private address": ("http://rebind.example/hop", "this machine"),
    "a name without an address": ("http://nothing.example/ok", "resolved"),
    "an unknown name": ("http://no.such.example/ok", "resolved"),
    "headers that drip": ("http://public.example/drip-headers", "within 1.5 seconds"),
    "headers without an end": ("http://public.example/endless-headers", "within 1.5 seconds|more than 100 headers"),
    "headers that drip over https": ("https://public.example/drip-headers", "within 1.5 seconds"),
    "a handshake without an answer": ("https://public.example:9001/", "within 1.5 seconds"),
    "a header of a megabyte": ("http://public.example/long-header", "line"),
    "a silent server": ("http://public.example:9001/", "within 1.5 seconds"),
    "a server of another protocol": ("http://public.example:9002/", "does not answer"),
    "a server that resets the connection": ("http://public.example:9003/", "does not answer"),
    "a closed privileged port": ("http://8.8.8.8:81/", "not a port of a web server"),
    "a closed port": ("http://8.8.8.8:8099/", "refused"),
    "loopback": ("http://127.0.0.1/secret", "this machine"),
    "loopback, short": ("http://127.1/secret", "this machine"),
    "loopback, decimal": ("http://2130706433/secret", "this machine"),
    "loopback, hexadecimal": ("http://0x7f000001/secret", "this machine"),
    "loopback, octal": ("http://0177.0.0.1/secret", "this machine"),
    "loopback, elsewhere": ("http://127.8.8.8/secret", "this machine"),
    "zero": ("http://0/secret", "this machine"),
    "loopback of IPv6": ("http://[::1]/secret", "this machine"),
    "unspecified of IPv6": ("http://[::]/secret", "this machine"),
    "mapped loopback": ("http://[::ffff:127.0.0.1]/secret", "this machine"),
    "mapped loopback, hexadecimal": ("http://[::ffff:7f00:1]/secret", "this machine"),
    "compatible loopback": ("http://[::127.0.0.1]/secret", "private"),
    "NAT64 of loopback": ("http://[64:ff9b::7f00:1]/secret", "this machine"),
    "6to4 of loopback": ("http://[2002:7f00:1::]/secret", "private"),
    "Teredo": ("http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/secret", "private"),
    "site local": ("http://[fec0::1]/secret", "private"),
    "unique local": ("http://[fd00:ec2::254]/secret", "private"),
    "link local": ("http://[fe80::1]/secret", "link-local"),
    "with a zone": ("http://[fe80::1%25lo]/secret", "no valid host"),
    "multicast": ("http://224.0.0.1/secret", "multicast"),
    "multicast of IPv6": ("http://[ff02::1]/secret", "multicast"),
    "broadcast": ("http://255.255.255.255/secret", "private"),
    "10/8": ("http://10.0.0.1/secret", "private"),
    "172.16/12": ("http://172.31.255.255/secret", "private"),
    "192.168/16": ("http://192.168.0.1/secret", "private"),
    "shared address space of carriers": ("http://100.64.0.1/secret", "private"),
    "the internal service of Azure": ("http://168.63.129.16/secret", "private"),
    "documentation": ("http://192.0.2.1/secret", "private"),
    "localhost": ("http://localhost/secret", "this machine"),
    "a password": ("http://user:password@public.example/ok", "password"),
    "a user": ("http://127.0.0.1@public.example/ok", "password"),
    "ftp": ("ftp://public.example/ok", "neither http:// nor https://"),
    "gopher": ("gopher://127.0.0.1:6379/_FLUSHALL", "neither http:// nor https://"),
    "file": ("file:///etc/passwd", "neither http:// nor https://"),
    "no host": ("http:///etc/passwd", "no valid host"),
    "a backslash": ("http://public.example\\@127.0.0.1/", "not a (valid )?URL"),
    "a line feed": ("http://public.example/ok\r\nHost: x", "not a (valid )?URL"),
    "not ASCII": ("http://１２７.0.0.1/", "not a (valid )?URL"),
    "a port of mail": ("http://public.example:25/", "not a port of a web server"),
    "an invalid port": ("http://public.example:99999/", "not a (valid )?URL"),
    "a URL that is too long": ("http://public.example/" + "x" * 3000, "not a (valid )?URL"),
}


def set_up(scratch: Path) -> None:
    """Add the addresses to the loopback of this namespace, and make the resolver use our DNS server."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in ADDRESSES:
        subprocess.run(["ip", "addr", "add", f"{address}/32", "dev", "lo"], check=True)
    subprocess.run(["ip", "-6", "addr", "add", f"{PUBLIC_6}/128", "dev", "lo", "nodad"], check=True)
    for name, content in (
        ("resolv.conf", "nameserver 127.0.0.1\noptions timeout:10 attempts:1\n"),
        ("nsswitch.conf", "hosts: files dns\n"),
        ("hosts", "127.0.0.1 localhost\n"),
    ):
        (scratch / name).write_text(content)
        place = Path("/etc", name).resolve()
        if place.exists():
            subprocess.run(["mount", "--bind", scratch / name, place], check=True)


def try_case(url: str) -> dict[str, Any]:
    """Return the outcome of the client for a URL, and its seconds."""
    started = time.monotonic()
    try:
        outcome = f"answers: {Client(SECONDS).check(url).status}"
    except Refusal as refusal:
        outcome = f"refused: {refusal.why}"
    except Unreachable as error:
        outcome = f"unreachable: {error}"
    return {"outcome": outcome, "seconds": time.monotonic() - started}


def run_commands(commands: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Run commands in this network; return their exit codes and outputs."""
    results = []
    for command in commands:
        started = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        results.append({"code": done.returncode, "out": done.stdout, "err": done.stderr,
                      "seconds": time.monotonic() - started})  # fmt: skip
    return results


def enter(commands: Sequence[Sequence[str]], env: dict[str, str]) -> dict[str, Any]:
    """Create the network in a namespace, try all cases and run `commands` there; return the document."""
    mapped = [] if os.geteuid() == 0 else ["--map-root-user"]
    done = subprocess.run(
        ["unshare", *mapped, "--net", "--mount", sys.executable, "-m", "tests.support.public_network"],
        input=json.dumps(list(map(list, commands))), capture_output=True, text=True, check=False, env=env, timeout=300,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Set up the network, try the cases, run the commands, and print the document."""
    commands = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as scratch:
        set_up(Path(scratch))
        start_servers(Path(scratch))
        cases = {name: try_case(url) for name, (url, _) in CASES.items()}
        results = run_commands(commands)
        json.dump({"cases": cases, "commands": results, "secret": Secret.asked, "seen": Site.seen}, sys.stdout)
        sys.stdout.flush()
        os._exit(0)  # do not wait for slow responses


if __name__ == "__main__":
    main()
