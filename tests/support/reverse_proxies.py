"""nginx and Caddy in front of a `wort serve`, with the configurations of docs/serve.md."""

import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.polling import until
from tests.support.ports import free_port

NGINX = "/usr/sbin/nginx"
DOCUMENT = Path(__file__).parents[2] / "docs" / "serve.md"
FRAME = """
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{}}
http {{
    access_log {directory}/access.log;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {block}
    }}
}}
"""


def documented(language: str) -> str:
    """Return the configuration that the documentation has for a proxy."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    return str(found)


def free_upstream(text: str, upstream: int) -> str:
    """Return a configuration for a server at another port than that of the documentation."""
    assert "127.0.0.1:8082" in text
    return text.replace("127.0.0.1:8082", f"127.0.0.1:{upstream}")


@contextlib.contextmanager
def ended_after(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """End a process after the body."""
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def accepts(port: int) -> bool:
    """Return whether something listens at a port."""
    import socket

    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


@contextlib.contextmanager
def nginx(directory: Path, upstream: int) -> Iterator[str]:
    """Run nginx in a directory; yield its URL, without a slash at its end."""
    port = free_port()
    directory.chmod(0o755)  # its workers may be another user
    file = directory / "nginx.conf"
    block = free_upstream(documented("nginx"), upstream)
    file.write_text(FRAME.format(directory=directory, port=port, block=block), encoding="utf-8")
    process = subprocess.Popen([NGINX, "-p", directory, "-c", file, "-g", "daemon off;"], stderr=subprocess.DEVNULL)
    with ended_after(process):
        until(lambda: accepts(port), "nginx listens")
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def caddy(directory: Path, upstream: int) -> Iterator[str]:
    """Run Caddy in a directory, without its certificates; yield its URL, without a slash at its end."""
    port = free_port()
    text = free_upstream(documented("caddy"), upstream)
    assert "wort.example.org {" in text
    file = directory / "Caddyfile"
    options = "{\n\tadmin off\n\tauto_https off\n\tgrace_period 1s\n}\n"  # no wait for clients that have left
    file.write_text(options + text.replace("wort.example.org {", f"http://127.0.0.1:{port} {{"), encoding="utf-8")
    env = {"HOME": str(directory), "XDG_DATA_HOME": str(directory), "XDG_CONFIG_HOME": str(directory)}
    process = subprocess.Popen(
        ["caddy", "run", "--config", file, "--adapter", "caddyfile"],
        env={**env, "PATH": "/usr/bin:/bin"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with ended_after(process):
        until(lambda: accepts(port), "Caddy listens")
        yield f"http://127.0.0.1:{port}"
