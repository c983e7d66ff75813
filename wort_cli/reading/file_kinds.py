"""Recognises what a file is from its first bytes: one table, with an example for each row.

The rows are in the order in which they are tried.  A compressed file is also looked into.  A file that no row describes
may still be an archive or a signature: the caller decides that.

Sources: hts-specs (SAMv1, CRAMv3, VCFv4), the HDF5 file format specification, POD5 and SLOW5 specifications, SFF manual
of Roche, RFC 1952 (gzip), RFC 8878 (zstd), ncbi-vdb interfaces/kfs/kfs-priv.h (encrypted files).
"""

import bz2
import lzma
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HEAD = 1 << 16
"""Bytes of a file that are looked at."""
SKETCH = "such a file has its own option: `wort compute --reads FILE --name NAME`"
READS = ("FASTA", "FASTQ")
"""Kinds that wort makes signatures of."""
ARCHIVE = "wort needs the archive of the run: `wort fetch ACC`, or `wort compute ACC`"
PAGE = "look into it: a server may have sent an error page in place of the file"
AGAIN = "the download was perhaps interrupted: download the file again"


@dataclass(frozen=True)
class FileKind:
    """A kind of files.  `what` completes the sentence `it is ...`."""

    what: str
    hint: str
    """The alternative to using such a file as an archive."""
    fits: Callable[[bytes], object]
    """Whether a file that starts with these bytes is of this kind."""
    example: bytes
    """The first bytes of such a file."""


def starts(*magics: bytes) -> Callable[[bytes], bool]:
    """Return a test of the first bytes."""
    return lambda head: head.startswith(magics)


def matches(pattern: bytes) -> Callable[[bytes], object]:
    """Return a test by a regular expression, at the start; case does not count."""
    return re.compile(pattern, re.IGNORECASE | re.DOTALL).match


def is_signature(head: bytes) -> bool:
    """Return whether a file starts like a signature that sourmash wrote."""
    return head.lstrip()[:1] in (b"[", b"{") and b'"sourmash_signature"' in head


def is_list(head: bytes) -> bool:
    """Return whether the first lines of a text have an accession of a run."""
    lines = head[:4096].splitlines()[:10]
    return b"\0" not in head and any(RUN.search(line) for line in lines)


RUN = re.compile(rb"\b[SDE]RR[0-9]{6,9}\b")
KINDS = (
    FileKind("an empty file", AGAIN, lambda head: not head, b""),
    FileKind("nothing but zero bytes", AGAIN, lambda head: not head.strip(b"\0"), bytes(64)),
    FileKind(
        "an encrypted archive",
        "decrypt it: `vdb-decrypt FILE`",
        starts(b"NCBInenc", b"NCBIkenc"),
        b"NCBInenc\5\3\x19\x88",
    ),
    FileKind("SAM", ARCHIVE, matches(rb"@(HD|SQ|RG|PG|CO)\t"), b"@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:1\tLN:9\n"),
    FileKind("FASTQ", SKETCH, matches(rb"@[^\n]*\n[^\n]*(\n|$)"), b"@SRR139146.1 1 length=4\nACGT\n+\nIIII\n"),
    FileKind("FASTA", SKETCH, starts(b">"), b">SRR139146.1 1\nACGT\n"),
    FileKind("BAM", ARCHIVE, starts(b"BAM\1"), b"BAM\1\x10\0\0\0@HD\tVN:1.6"),
    FileKind("CRAM", ARCHIVE, starts(b"CRAM"), b"CRAM\3\0" + bytes(20)),
    FileKind("BCF", ARCHIVE, starts(b"BCF\2"), b"BCF\2\2\x10\0\0\0"),
    FileKind("VCF", ARCHIVE, starts(b"##fileformat=VCF"), b"##fileformat=VCFv4.3\n"),
    FileKind("SFF", ARCHIVE, starts(b".sff"), b".sff\0\0\0\1"),
    FileKind("POD5", ARCHIVE, starts(b"\x8bPOD\r\n\x1a\n"), b"\x8bPOD\r\n\x1a\n\0\0"),
    FileKind("HDF5, such as fast5", ARCHIVE, starts(b"\x89HDF\r\n\x1a\n"), b"\x89HDF\r\n\x1a\n\0\0\0\0"),
    FileKind("BLOW5", ARCHIVE, starts(b"BLOW5\1"), b"BLOW5\1\0\2\0"),
    FileKind("SLOW5", ARCHIVE, starts(b"#slow5_version"), b"#slow5_version\t0.2.0\n"),
    FileKind("a zip file", "unpack it: `unzip FILE`", starts(b"PK\3\4", b"PK\5\6"), b"PK\3\4\x14\0\0\0\x08\0"),
    FileKind(
        "a tar file",
        "unpack it: `tar xf FILE`",
        lambda head: head[257:262] == b"ustar",
        b"SRR139146/" + bytes(247) + b"ustar\00000",
    ),
    FileKind("7z", "unpack it: `7z x FILE`", starts(b"7z\xbc\xaf\x27\x1c"), b"7z\xbc\xaf\x27\x1c\0\4"),
    FileKind("PDF", ARCHIVE, starts(b"%PDF-"), b"%PDF-1.7\n"),
    FileKind("an SQLite database", ARCHIVE, starts(b"SQLite format 3\0"), b"SQLite format 3\0\x10\0"),
    FileKind(
        "a page of HTML",
        PAGE,
        matches(rb"(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)?<(!doctype\s+html|html|head|body|title)\b"),
        b"<!DOCTYPE html>\n<html><body>404 Not Found",
    ),
    FileKind(
        "XML",
        PAGE,
        matches(rb"(\xef\xbb\xbf)?\s*<[?!a-z]"),
        b"<?xml version='1.0'?>\n<Error><Code>AccessDenied</Code>",
    ),
    FileKind(
        "a sourmash signature",
        "show it with `wort view FILE`; check it with `wort verify FILE`",
        is_signature,
        b'[{"class":"sourmash_signature","email":""',
    ),
    FileKind("JSON", PAGE, matches(rb'\s*(\{\s*("|\})|\[\s*[{\["\]0-9])'), b'{"result": [{"status": 404}]}'),
    FileKind("a list of runs", "give it as a list: `--from-file FILE`", is_list, b"Run,bases\nSRR139146,5\n"),
)
"""The kinds of files that are not compressed."""


@dataclass(frozen=True)
class Compression:
    """A format of compressed files; `unpack` returns the first bytes inside, as many as there are."""

    what: str
    magic: bytes
    hint: str
    unpack: Callable[[bytes], bytes]


def gunzipped(head: bytes) -> bytes:
    """Return the first bytes inside of a gzip file of which only the start is known."""
    return zlib.decompressobj(wbits=31).decompress(head, HEAD)


COMPRESSIONS = (
    Compression("gzip", b"\x1f\x8b", "decompress it: `gunzip FILE`", gunzipped),
    Compression("bzip2", b"BZh", "decompress it: `bunzip2 FILE`", lambda h: bz2.BZ2Decompressor().decompress(h, HEAD)),
    Compression(
        "xz", b"\xfd7zXZ\0", "decompress it: `unxz FILE`", lambda h: lzma.LZMADecompressor().decompress(h, HEAD)
    ),
    Compression("zstd", b"\x28\xb5\x2f\xfd", "decompress it: `unzstd FILE`", lambda h: b""),
)
"""Python 3.11 cannot look into zstd."""
CACHE = ".vdbcache"


@dataclass(frozen=True)
class Recognised:
    """The kind of a file, as the end of the sentence `this is ...`, and a hint."""

    what: str
    hint: str
    is_reads: bool = False
    """Whether it has reads that wort takes, compressed or not."""
    is_unsure: bool = False
    """Whether it may be anything: empty, or compressed in a way that cannot be looked into."""


def recognise(head: bytes) -> Recognised | None:
    """Return what a file is that starts with these bytes, at most HEAD; None if that is not known."""
    for compression in COMPRESSIONS:
        if head.startswith(compression.magic):
            return inside(compression, head)
    for kind in KINDS:
        if kind.fits(head):
            return Recognised(kind.what, kind.hint, kind.what in READS)
    return None


def inside(compression: Compression, head: bytes) -> Recognised:
    """Return what a compressed file is."""
    try:
        content = compression.unpack(head)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError):
        return Recognised(f"a damaged {compression.what} file", AGAIN)
    kind = next((kind for kind in KINDS if content and kind.fits(content)), None)
    if kind is None:
        return Recognised(f"compressed with {compression.what}", compression.hint, is_unsure=not content)
    if kind.example.startswith((b"BAM", b"BCF")):  # they are always in blocks of gzip
        return Recognised(kind.what, kind.hint)
    return Recognised(f"{kind.what}, compressed with {compression.what}", kind.hint, kind.what in READS)


def recognise_file(path: Path) -> Recognised | None:
    """Return what a file is; None if that is not known.  Raises OSError if it cannot be read."""
    if path.name.endswith(CACHE):
        run = path.name.partition(".")[0]
        hint = f"give the archive beside it, which wort reads without it: {run}.sra"
        return Recognised("the vdbcache of an aligned run, which has no reads", hint)
    with path.open("rb") as file:
        return recognise(file.read(HEAD))
