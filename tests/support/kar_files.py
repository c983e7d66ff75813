"""Makes KAR archives from nested dictionaries, correct ones and ones with any error that a test needs."""

import struct
from collections.abc import Mapping
from typing import Any

from wort_cli.pipeline.archives.kar import DIRECTORY, EMPTY_FILE, FILE, MAGIC

Tree = Mapping[str, Any]
"""A directory: names with bytes (a file), another Tree (a directory), or a Raw node."""


class Raw:
    """A node whose type and payload are given as they are to be written."""

    def __init__(self, kind: int, payload: bytes = b"") -> None:
        self.kind = kind
        self.payload = payload


def kar_archive(tree: Tree, byte_order: str = "<", alignment: int = 1) -> bytes:
    """Return an archive with the files of `tree`, their data in its order, each at a multiple of `alignment`.

    Offsets count from the end of the table, so a table whose length is no multiple of `alignment` is padded.
    """
    data = bytearray()
    table = packed_tree(tree, data, byte_order, alignment)
    padding = bytes(-(24 + len(table)) % alignment)
    return kar_head(table + padding, byte_order) + bytes(data)


def kar_head(table: bytes, byte_order: str = "<", version: int = 1) -> bytes:
    """Return the header and a table of contents."""
    return MAGIC + struct.pack(f"{byte_order}IIQ", 0x05031988, version, 24 + len(table)) + table


def packed_tree(tree: Tree, data: bytearray, byte_order: str, alignment: int = 1) -> bytes:
    """Return a directory as a packed tree; the data of its files is appended to `data`."""
    nodes = [packed_node(name, value, data, byte_order, alignment) for name, value in tree.items()]
    return join_nodes(nodes, byte_order)


def join_nodes(nodes: list[bytes], byte_order: str = "<") -> bytes:
    """Return a packed tree of nodes that are packed already."""
    if not nodes:
        return struct.pack(f"{byte_order}I", 0)
    size = sum(map(len, nodes))
    form = "B" if size <= 1 << 8 else "H" if size <= 1 << 16 else "I"
    starts = [sum(map(len, nodes[:n])) for n in range(len(nodes))]
    return struct.pack(f"{byte_order}II{len(nodes)}{form}", len(nodes), size, *starts) + b"".join(nodes)


def packed_node(name: str | bytes, value: Any, data: bytearray, byte_order: str = "<", alignment: int = 1) -> bytes:
    """Return one node."""
    raw = name if isinstance(name, bytes) else name.encode()
    if isinstance(value, Raw):
        kind, payload = value.kind, value.payload
    elif isinstance(value, bytes) and value:
        data += bytes(-len(data) % alignment)
        kind, payload = FILE, struct.pack(f"{byte_order}QQ", len(data), len(value))
        data += value
    elif isinstance(value, bytes):
        kind, payload = EMPTY_FILE, b""
    else:
        kind, payload = DIRECTORY, packed_tree(value, data, byte_order, alignment)
    return struct.pack(f"{byte_order}H", len(raw)) + raw + struct.pack(f"{byte_order}qIB", 0, 0o664, kind) + payload


def metadata(tree: Mapping[str, Mapping[str, Mapping[str, str]]]) -> bytes:
    """Return a metadata file (md/cur): two levels of nodes, the lower ones with attributes."""

    def node(name: str, bits: int, payload: bytes) -> bytes:
        return bytes([len(name) - 1 << 2 | bits]) + name.encode() + payload

    groups = []
    for name, children in tree.items():
        nodes = [
            node(child, 1, join_nodes([f"{key}\0{value}".encode() for key, value in attributes.items()]))
            for child, attributes in children.items()
        ]
        groups.append(node(name, 2, join_nodes(nodes)))
    return struct.pack("<II", 0x05031988, 2) + join_nodes(groups)
