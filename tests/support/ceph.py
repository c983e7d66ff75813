"""A real S3 server on loopback for the tests: Ceph's RADOS gateway with one monitor and one disk (OSD).

All files are below one directory.  Ports are free ones; neither systemd nor cephx is used.  The gateway can be killed,
stopped and restarted without losing data, because the OSD stores it.  Monitor and OSD are on loopback always; the
gateway may have another address.
"""

from __future__ import annotations

import contextlib
import http.client
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.support.certificate import make_certificate
from tests.support.polling import until
from tests.support.ports import free_port

ACCESS_KEY = "wort-test-access"
SECRET_KEY = "wort-test-secret-0123456789"
CONFIGURATION = """\
[global]
fsid = {fsid}
mon_host = v2:127.0.0.1:{port}
public_network = 127.0.0.0/8
ms_bind_msgr1 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
ms_mon_client_mode = crc
keyring = /dev/null
admin_socket =
run_dir = {root}
log_to_file = false
log_to_stderr = true
mon_cluster_log_to_file = false
mon_data = {root}/mon
mon_data_avail_crit = 1
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 2000
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
osd_data = {root}/osd
osd_objectstore = bluestore
bluestore_block_size = 21474836480
bluestore_cache_autotune = false
bluestore_cache_size = 134217728
osd_crush_update_on_start = false
osd_crush_chooseleaf_type = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
rgw_rados_pool_pg_num_min = 4
rgw_data = {root}
rgw_thread_pool_size = 32
rgw_relaxed_region_enforcement = true
rgw_gc_obj_min_wait = 300
rgw_gc_processor_period = 300
"""


class Ceph:
    """The server: `with Ceph(directory) as ceph`."""

    def __init__(self, root: Path, address: str = "127.0.0.1", before: tuple[str, ...] = ()) -> None:
        """`before` are words before each command, such as those that enter a network namespace."""
        self.root = root
        self.address = address
        self._before = before
        self.port, self._tls_port = free_port(), free_port()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def endpoint(self) -> str:
        """The address of the gateway."""
        return f"http://{self.address}:{self.port}"

    @property
    def secure_endpoint(self) -> str:
        """The address of the gateway with TLS."""
        return f"https://{self.address}:{self._tls_port}"

    @property
    def certificate(self) -> Path:
        """The certificate of `secure_endpoint`."""
        return self.root / "certificate.pem"

    def __enter__(self) -> Ceph:
        try:
            self._make()
            self.start_gateway()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in ("rgw", "osd", "mon"):
            process = self._processes.pop(name, None)
            if process is None:
                continue
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            process.kill()  # nothing of it is wanted afterwards
            process.wait(60)

    def _make(self) -> None:
        for name in ("mon", "osd", "log"):
            (self.root / name).mkdir(parents=True)
        make_certificate(self.certificate, self._key, self.address, f"IP:{self.address}")
        fsid, port = str(uuid.uuid4()), free_port()
        self._conf.write_text(CONFIGURATION.format(fsid=fsid, port=port, root=self.root), encoding="ascii")
        monmap = str(self.root / "monmap")
        self._run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[v2:127.0.0.1:{port}]", monmap, bare=True)
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap)
        self._start("mon", "ceph-mon", "-f", "-i", "a")
        osd = str(uuid.uuid4())
        self._run("ceph", "--connect-timeout", "20", "osd", "new", osd)
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self._run("ceph", "osd", "crush", "add", "osd.0", "1.0", "root=default", "host=localhost")
        self._start("osd", "ceph-osd", "-f", "-i", "0")
        until(lambda: " 1 up" in self._run("ceph", "osd", "stat"), "the disk is up", pause=0.2)
        self.add_user("wort", ACCESS_KEY, SECRET_KEY)

    def add_user(self, uid: str, access_key: str, secret_key: str) -> None:
        """Add a user, who has no access to the buckets of other users."""
        keys = (f"--access-key={access_key}", f"--secret-key={secret_key}")
        self._run("radosgw-admin", "user", "create", f"--uid={uid}", f"--display-name={uid}", *keys)

    # ---- the gateway

    def start_gateway(self) -> None:
        """Start the gateway at its fixed address; return when it answers."""
        files = f"ssl_certificate={self.certificate} ssl_private_key={self._key}"
        tls = f"ssl_endpoint={self.address}:{self._tls_port} {files}"
        frontend = f"beast endpoint={self.address}:{self.port} {tls}"
        self._start("rgw", "radosgw", "-n", "client.rgw", "-f", "--rgw_frontends", frontend)
        until(self._answers, "the gateway answers", pause=0.05)

    def kill_gateway(self) -> None:
        """Kill the gateway with SIGKILL."""
        process = self._processes.pop("rgw")
        process.kill()
        process.wait(60)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop the gateway: the kernel accepts connections, and nothing answers."""
        process = self._processes["rgw"]
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    def gateway_log(self) -> str:
        """Return what the gateway has logged: a line for each request, among others."""
        return (self.root / "log" / "rgw").read_text(errors="replace")

    def _answers(self) -> bool:
        if self._processes["rgw"].poll() is not None:
            raise AssertionError(f"the gateway exited: {self._log_tail('rgw')}")
        connection = http.client.HTTPConnection(self.address, self.port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    # ---- plain boto3

    def client(self, access_key: str = ACCESS_KEY, secret_key: str = SECRET_KEY) -> Any:
        """Return a plain boto3 client."""
        return boto3.session.Session(access_key, secret_key, region_name="us-east-1").client(
            "s3", endpoint_url=self.endpoint, config=Config(retries={"total_max_attempts": 5})
        )

    # ---- processes

    @property
    def _conf(self) -> Path:
        return self.root / "ceph.conf"

    @property
    def _key(self) -> Path:
        return self.root / "key.pem"

    def _start(self, name: str, *argv: str) -> None:
        with (self.root / "log" / name).open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [*self._before, argv[0], "-c", str(self._conf), *argv[1:]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _run(self, *argv: str, bare: bool = False) -> str:
        words = [*self._before, argv[0], *(() if bare else ("-c", str(self._conf))), *argv[1:]]
        done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, (
            f"{' '.join(words)}: {done.stderr[-1000:]} {self._log_tail('mon')} {self._log_tail('osd')}"
        )
        return done.stdout

    def _log_tail(self, name: str) -> str:
        path = self.root / "log" / name
        return path.read_text(errors="replace")[-1000:] if path.exists() else ""
