"""Reads the metadata of an archive: the trees in its files `md/cur`.

Such a file is: 4 bytes that tell the byte order, 4 bytes version, and a packed tree (kar.py).  A node is: a byte with
the length of the name minus one in its upper six bits and two marks in the lower ones, the name, a packed tree of
attributes if bit 0 is set, a packed tree of nodes if bit 1 is set, and the value.  An attribute is a name, a zero byte
and a value.

Sources: ncbi-vdb libs/kdb/{rmeta,rmetadatanode,metanode-base}.c.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from wort_cli.pipeline.archives.kar import BYTE_ORDERS, KarError, Reader, nodes_of

HAS_ATTRIBUTES, HAS_CHILDREN = 1, 2
HEADER = 8
"""Bytes before the tree."""
MAX_METADATA = 1 << 26
"""Bytes; larger metadata is not looked into."""
NUMBERS = {1: "B", 2: "H", 4: "I", 8: "Q"}
"""The form of an unsigned number by its bytes (KMDataNodeReadAsU64)."""


@dataclass(frozen=True)
class Node:
    """A node of metadata."""

    attributes: Mapping[str, str]
    value: Reader
    children: tuple[Reader, ...]
    """The nodes below it, which are not parsed yet."""

    def number(self) -> int | None:
        """Return the value as an unsigned number; None if it is not one."""
        form = NUMBERS.get(len(self.value.data))
        return self.value.rest().numbers(form)[0] if form else None

    def nodes(self) -> Iterator["Node"]:
        """Yield the nodes below it."""
        for reader in self.children:
            node = reader.rest()
            (bits,) = node.numbers("B")
            node.take((bits >> 2) + 1)
            yield parse_node(node, bits)

    def child(self, name: str) -> "Node | None":
        """Return the node with this name below it; None if there is none."""
        return node_named(self.children, name)


def find_node(metadata: bytes, path: str) -> Node | None:
    """Return the node at `path`, such as `SOFTWARE/loader`; None if there is no such node.

    Raises KarError if the bytes are not metadata.
    """
    byte_order = BYTE_ORDERS.get(metadata[:4])
    if byte_order is None or len(metadata) <= HEADER:
        raise KarError("its metadata does not start like metadata")
    nodes = tuple(nodes_of(Reader(memoryview(metadata)[HEADER:], byte_order)))
    found = None
    for name in path.split("/"):
        found = node_named(nodes, name)
        if found is None:
            return None
        nodes = found.children
    return found


def attributes_of(metadata: bytes, path: str) -> Mapping[str, str] | None:
    """Return the attributes of the node at `path`; None if there is no such node.  Raises KarError as `find_node`."""
    node = find_node(metadata, path)
    return None if node is None else node.attributes


def node_named(nodes: Iterable[Reader], name: str) -> Node | None:
    """Return the node with this name, None if there is none."""
    for reader in nodes:
        node = reader.rest()
        (bits,) = node.numbers("B")
        if bytes(node.take((bits >> 2) + 1)) == name.encode("ascii"):
            return parse_node(node, bits)
    return None


def parse_node(node: Reader, bits: int) -> Node:
    """Return the node whose marks are `bits`; the reader is behind its name."""
    attributes = dict(map(attribute, nodes_of(node))) if bits & HAS_ATTRIBUTES else {}
    children = tuple(nodes_of(node)) if bits & HAS_CHILDREN else ()
    return Node(attributes, node.rest(), children)


def attribute(node: Reader) -> tuple[str, str]:
    """Return the name and the value of an attribute."""
    name, _, value = bytes(node.data).partition(b"\0")
    return name.decode("ascii", "replace"), value.decode("utf-8", "replace")
