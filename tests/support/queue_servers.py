"""Real servers of queues on loopback for the tests: PostgreSQL and Redis, of Debian's packages.

A server can be killed and restarted, and can lose its content.  PostgreSQL does not run as root, so that root's tests
run it as `nobody`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.support.certificate import make_certificate
from tests.support.polling import until
from tests.support.ports import free_port
from tests.support.processes import processes_in

PASSWORD = "only-for-tests"


class QueueServer:
    """A server: `with Redis(directory) as server`."""

    kind = ""
    password = PASSWORD
    """The password with which this class asks the server."""

    def __init__(
        self,
        root: Path,
        port: int = 0,
        address: str = "127.0.0.1",
        before: tuple[str, ...] = (),
        *,
        encrypted: bool = False,
    ) -> None:
        """`before` are words before each command, such as those that enter a network namespace."""
        self.root = root
        self.port = port or free_port()
        self.address = address
        self._before = before
        self.encrypted = encrypted
        """Whether it takes connections with TLS; `certificate` is its own authority, and names only the address."""
        self.certificate, self._key = root / "certificate.pem", root / "key.pem"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of the queue, without a password."""
        raise NotImplementedError

    def __enter__(self) -> Any:
        self.root.mkdir(parents=True, exist_ok=True)
        if self.encrypted:
            make_certificate(self.certificate, self._key, "queue", f"IP:{self.address}")
        self.make()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The process of the server."""
        assert self._process is not None
        return self._process.pid

    def make(self) -> None:
        """Create the files of the server."""

    def start(self) -> None:
        """Start the server; return when it answers."""
        with (self.root / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._before, *self.as_user(), *self.command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
            )
        until(self._answers, f"{self.kind} answers", pause=0.05)

    def kill(self) -> None:
        """Kill the server with all its processes."""
        process, self._process = self._process, None
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(60)
            self.after_kill()

    def after_kill(self) -> None:
        """Wait for processes that have sessions of their own."""

    def restart(self) -> None:
        """Kill the server, and start it with what it has on disk."""
        self.kill()
        self.start()

    def lose_everything(self) -> None:
        """Delete the content of a server that runs."""
        raise NotImplementedError

    def values(self) -> list[str]:
        """Return the keys of values in the queue but the board, and one for each order."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """Return the command of the server."""
        raise NotImplementedError

    def is_answering(self) -> bool:
        """Return whether the server answers."""
        raise NotImplementedError

    def as_user(self) -> tuple[str, ...]:
        """Return the words before the command that make it run as another user."""
        return ()

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"{self.kind} exited: {(self.root / 'log').read_text(errors='replace')[-2000:]}")
        return self.is_answering()


class Redis(QueueServer):
    """A Redis server with an append-only file, and a password."""

    kind = "redis"

    def __init__(self, *args: Any, options: tuple[str, ...] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        self.options = options

    @property
    def url(self) -> str:
        if self.encrypted:
            return f"rediss://{self.address}:{self.port}/0?ssl_ca_certs={self.certificate}"
        return f"redis://{self.address}:{self.port}/0"

    def command(self) -> list[str]:
        program = shutil.which("redis-server")
        assert program is not None
        port = ["--port", str(self.port)]
        if self.encrypted:
            port = ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no"]
            port += ["--tls-cert-file", str(self.certificate), "--tls-key-file", str(self._key)]
            port += ["--tls-ca-cert-file", str(self.certificate)]
        return [
            *(program, *port, "--bind", self.address, "--dir", str(self.root)),
            *("--requirepass", PASSWORD, "--appendonly", "yes", "--maxmemory-policy", "noeviction"),
            *("--save", "", "--daemonize", "no", *self.options),
        ]

    def is_answering(self) -> bool:
        return self.cli("ping").strip() == "PONG"

    def lose_everything(self) -> None:
        assert self.cli("flushall").strip() == "OK"

    def values(self) -> list[str]:
        keys = [key for key in self.cli("hkeys", "huey.results.wort").split() if key != "board"]
        return [*keys, *["order"] * int(self.cli("zcard", "huey.redis.wort") or 0)]

    def cli(self, *words: str) -> str:
        """Run redis-cli; return what it prints."""
        where = ["-h", self.address, "-p", str(self.port)]
        if self.encrypted:
            where += ["--tls", "--cacert", str(self.certificate)]
        env = {**os.environ, "REDISCLI_AUTH": self.password}
        return subprocess.run(
            [*self._before, "redis-cli", *where, *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=env,
        ).stdout


class Postgresql(QueueServer):
    """A PostgreSQL server with a user and a database `wort`, and a password."""

    kind = "postgresql"
    _directory: Path | None = None

    @property
    def url(self) -> str:
        tls = f"?sslmode=verify-full&sslrootcert={self.certificate}" if self.encrypted else ""
        return f"postgresql://wort@{self.address}:{self.port}/wort{tls}"

    @property
    def programs(self) -> Path:
        """The directory of the programs of the newest version."""
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        assert found, "PostgreSQL is installed (scripts/setup.sh)"
        return found[-1].parent

    @property
    def data(self) -> Path:
        """The directory of the databases, which its user enters; pytest closes those of tests to others."""
        assert self._directory is not None
        return self._directory / "data"

    def as_user(self) -> tuple[str, ...]:
        if os.geteuid() != 0:
            return ()
        user = pwd.getpwnam("nobody")
        return ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")

    def make(self) -> None:
        if self._directory is not None:
            return
        self._directory = Path(tempfile.mkdtemp(prefix="wort-postgresql-"))
        password = self._directory / "password"
        password.write_text(PASSWORD)
        files = [self._directory, password]
        if self.encrypted:
            files += [Path(shutil.copy(path, self._directory)) for path in (self.certificate, self._key)]
        if os.geteuid() == 0:
            user = pwd.getpwnam("nobody")
            for path in files:
                os.chown(path, user.pw_uid, user.pw_gid)
        self._run(
            *("initdb", "-D", str(self.data), "-U", "wort", "--auth", "scram-sha-256", "--pwfile", str(password)),
            *("--no-sync", "-E", "UTF8", "--locale", "C"),
        )
        with (self.data / "pg_hba.conf").open("a") as file:
            file.write(f"{'hostssl' if self.encrypted else 'host'} all all 0.0.0.0/0 scram-sha-256\n")
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(
                f"listen_addresses = '{self.address}'\nport = {self.port}\nunix_socket_directories = ''\n"
                "shared_buffers = 32MB\nmax_connections = 200\n"
            )
            if self.encrypted:
                names = (("cert", self.certificate), ("key", self._key))
                file.writelines(f"ssl_{kind}_file = '{self._directory / path.name}'\n" for kind, path in names)
                file.write("ssl = on\n")

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)

    def start(self) -> None:
        super().start()
        if self.sql("select 1 from pg_database where datname = 'wort'", "postgres").strip() != "1":
            self.sql("create database wort", "postgres")

    def command(self) -> list[str]:
        return [str(self.programs / "postgres"), "-D", str(self.data)]

    def is_answering(self) -> bool:
        words = [*self._before, str(self.programs / "pg_isready"), "-q", "-h", self.address, "-p", str(self.port)]
        return subprocess.run(words, timeout=60, check=False).returncode == 0

    def after_kill(self) -> None:
        # The server's own processes have process groups of their own, and end when they miss it.  Their names do not
        # say whose they are, but all of them are in the directory of the databases.
        until(lambda: not processes_in(self.data), "the processes of PostgreSQL have ended")
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def lose_everything(self) -> None:
        self.sql("truncate wort_kv, wort_task, wort_schedule, wort_counter", "wort")

    def values(self) -> list[str]:
        keys = self.sql("select key from wort_kv where queue = 'wort' and key != 'board'").split()
        return [*keys, *["order"] * int(self.sql("select count(*) from wort_task"))]

    def sql(self, statement: str, database: str = "wort") -> str:
        """Run a statement; return what psql prints."""
        words = ("psql", "-h", self.address, "-p", str(self.port), "-U", "wort", "-d", database, "-qAtc", statement)
        env = {**os.environ, "PGPASSWORD": self.password}
        done = subprocess.run([*self._before, *words], capture_output=True, text=True, timeout=60, check=False, env=env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _run(self, program: str, *arguments: str) -> None:
        words = [*self.as_user(), str(self.programs / program), *arguments]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, cwd="/")
        assert done.returncode == 0, done.stderr[-2000:]


SERVERS: dict[str, type[QueueServer]] = {"postgresql": Postgresql, "redis": Redis}
