"""Makes certificates for test servers."""

import subprocess
from pathlib import Path


def make_certificate(certificate: Path, key: Path, name: str, alternative: str) -> None:
    """Make a self-signed certificate; `alternative` is a name such as `DNS:public.example` or `IP:127.0.0.1`."""
    names = ("-subj", f"/CN={name}", "-addext", f"subjectAltName={alternative}")
    argv = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names)
    subprocess.run([*argv, "-keyout", key, "-out", certificate], check=True, capture_output=True)
