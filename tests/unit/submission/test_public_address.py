"""why_not_public accepts public addresses, and no address that embeds a private one."""

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wort_cli.submission.public_address import why_not_public


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "1.1.1.1",
        "193.62.193.80",
        "2001:4860:4860::8888",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ],
)
def test_public(address: str) -> None:
    assert why_not_public(address) == ""


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.8",
        "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
        "255.255.255.255", "168.63.129.16", "192.88.99.1", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::", "2001::1", "2001:db8::1",
        "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "100::1", "5f00::1",
        "localhost", "", "8.8.8.8:80", "0x8080808",
    ],
)  # fmt: skip
def test_not_public(address: str) -> None:
    assert why_not_public(address) != ""


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_embedding_does_not_make_an_address_public(address: IPv4Address) -> None:
    low = f"{int(address) >> 16:x}:{int(address) & 0xFFFF:x}"
    for spelling in (f"::ffff:{low}", f"64:ff9b::{low}", f"::{low}", f"2002:{low}::1", f"2001:0:{low}::1"):
        assert why_not_public(spelling) or not why_not_public(str(address))
