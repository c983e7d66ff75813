"""Reads the metadata of an archive: the trees in its files `md/cur`.

Such a file is: 4 bytes that tell the byte order, 4 bytes version, and a packed tree (kar.py).  A node is: a byte with
the length of the name minus one in its upper six bits and two marks in the lower ones, the name, a packed tree of
attributes if bit 0 is set, a packed tree of nodes if bit 1 is set, and the value.  An attribute is a name, a zero byte
and a value.

Sources: ncbi-vdb libs/kdb/{rmeta,rmetadatanode}.c.
"""

from collections.abc import Mapping

from wort_cli.pipeline.archives.kar import BYTE_ORDERS, KarError, Reader, nodes_of

HAS_ATTRIBUTES, HAS_CHILDREN = 1, 2
HEADER = 8
"""Bytes before the tree."""


def attributes_of(metadata: bytes, path: str) -> Mapping[str, str] | None:
    """Return the attributes of the node at `path`, such as `SOFTWARE/loader`; None if there is no such node.

    Raises KarError if the bytes are not metadata.
    """
    byte_order = BYTE_ORDERS.get(metadata[:4])
    if byte_order is None or len(metadata) <= HEADER:
        raise KarError("its metadata does not start like metadata")
    tree: Reader | None = Reader(memoryview(metadata)[HEADER:], byte_order)
    attributes: dict[str, str] = {}
    for name in path.split("/"):
        node = child(tree, name) if tree is not None else None
        if node is None:
            return None
        (bits,) = node.numbers("B")
        node.take((bits >> 2) + 1)
        attributes = dict(map(attribute, nodes_of(node))) if bits & HAS_ATTRIBUTES else {}
        tree = node if bits & HAS_CHILDREN else None
    return attributes


def child(tree: Reader, name: str) -> Reader | None:
    """Return a reader of the node with this name, None if there is none."""
    for node in nodes_of(tree):
        (bits,) = node.numbers("B")
        if bytes(node.take((bits >> 2) + 1)) == name.encode("ascii"):
            node.position = 0
            return node
    return None


def attribute(node: Reader) -> tuple[str, str]:
    """Return the name and the value of an attribute."""
    name, _, value = bytes(node.data).partition(b"\0")
    return name.decode("ascii", "replace"), value.decode("utf-8", "replace")
