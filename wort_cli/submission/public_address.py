"""Decides whether an IP address is public.  Pure functions.

`ipaddress.is_global` alone is not enough: it accepts multicast addresses, and IPv6 addresses that embed a private IPv4
address.  An address that embeds an IPv4 address is judged by that one; addresses of obsolete tunnels are refused.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

PUBLIC_V6 = IPv6Network("2000::/3")
"""All allocated unicast addresses (IANA, IPv6 Global Unicast)."""
NAT64 = IPv6Network("64:ff9b::/96")
NOT_PUBLIC_V6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: embeds any IPv4 address
        "3fff::/20",  # documentation
    )
)
NOT_PUBLIC_V4 = tuple(
    ip_network(block)
    for block in (
        "168.63.129.16/32",  # a service inside every virtual machine of Azure
        "192.88.99.0/24",  # 6to4 relays
        "192.0.0.0/24",  # protocol assignments
    )
)


def why_not_public(text: str) -> str:
    """Return why an address, as getaddrinfo writes it, is not public; '' if it is."""
    try:
        address = ip_address(text)
    except ValueError:
        return "not an address"
    if isinstance(address, IPv6Address):
        return why_not_v6(address)
    return why_not_v4(address)


def why_not_v4(address: IPv4Address) -> str:
    """Return why an IPv4 address is not public; '' if it is."""
    if address.is_loopback or address.is_unspecified:
        return "an address of this machine"
    if address.is_multicast:
        return "a multicast address"
    if not address.is_global or any(address in block for block in NOT_PUBLIC_V4):
        return "a private or reserved address"
    return ""


def why_not_v6(address: IPv6Address) -> str:
    """Return why an IPv6 address is not public; '' if it is."""
    embedded = address.ipv4_mapped or (IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else None)
    if embedded is not None:
        return why_not_v4(embedded)
    if address.scope_id is not None or address.is_link_local:
        return "a link-local address"
    if address.is_loopback or address.is_unspecified:
        return "an address of this machine"
    if address.is_multicast:
        return "a multicast address"
    if address not in PUBLIC_V6 or not address.is_global or any(address in block for block in NOT_PUBLIC_V6):
        return "a private or reserved address"
    return ""
