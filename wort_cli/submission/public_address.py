"""Which addresses are public: reachable by anybody, and nobody's inner network.  Pure decisions.

`ipaddress.is_global` alone is not it: multicast is global there, and so are IPv6 addresses that carry a private IPv4
one.  What embeds an IPv4 address is judged by that, or refused where it is of a tunnel that nobody serves any more.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

PUBLIC_V6 = IPv6Network("2000::/3")
"""All that was ever handed out (IANA, IPv6 Global Unicast)."""
NAT64 = IPv6Network("64:ff9b::/96")
NOT_PUBLIC_V6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries any IPv4 address
        "3fff::/20",  # documentation
    )
)
NOT_PUBLIC_V4 = tuple(
    ip_network(block)
    for block in (
        "168.63.129.16/32",  # inside every virtual machine of Azure
        "192.88.99.0/24",  # 6to4 relays
        "192.0.0.0/24",  # protocol assignments
    )
)


def why_not_public(text: str) -> str:
    """Why an address, in the notation of getaddrinfo, is not public; '' if it is."""
    try:
        address = ip_address(text)
    except ValueError:
        return "it is no plain address"
    if isinstance(address, IPv6Address):
        return why_not_v6(address)
    return why_not_v4(address)


def why_not_v4(address: IPv4Address) -> str:
    """See why_not_public."""
    if address.is_loopback or address.is_unspecified:
        return "it is this machine"
    if address.is_multicast:
        return "it is a multicast address"
    if not address.is_global or any(address in block for block in NOT_PUBLIC_V4):
        return "it is a private or reserved address"
    return ""


def why_not_v6(address: IPv6Address) -> str:
    """See why_not_public."""
    embedded = address.ipv4_mapped or (IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else None)
    if embedded is not None:
        return why_not_v4(embedded)
    if address.scope_id is not None or address.is_link_local:
        return "it is an address of one link"
    if address.is_loopback or address.is_unspecified:
        return "it is this machine"
    if address.is_multicast:
        return "it is a multicast address"
    if address not in PUBLIC_V6 or not address.is_global or any(address in block for block in NOT_PUBLIC_V6):
        return "it is a private or reserved address"
    return ""
