"""Certificates for the servers of the tests."""

import subprocess
from pathlib import Path


def make_certificate(certificate: Path, key: Path, name: str, alternative: str) -> None:
    """One that is signed by itself, for a host; `alternative` such as `DNS:public.example` or `IP:127.0.0.1`."""
    names = ("-subj", f"/CN={name}", "-addext", f"subjectAltName={alternative}")
    argv = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names)
    subprocess.run([*argv, "-keyout", key, "-out", certificate], check=True, capture_output=True)
