"""Hostile requests: one row for each, with the bytes that are sent and what the server answers.

`{TOKEN}` stands for a token that allows everything, `{HASH}` for the hash of it that is stored.  An answer is a list of
status codes: more than one where bytes that a server could take for a second request follow, none where the connection
is closed at once.  `says` is in the answer; what no answer may have is in `NEVER`.
"""

import gzip
import io
import json
import zipfile
from dataclasses import dataclass

from tests.support.served_home import DONE, HTML
from tests.support.submissions import document, text

FILE, VIEW, RUN = f"/wort-sra/sigs/{DONE}.sig", f"/v1/view/sra/{DONE}", "SRR000009"
NEVER = (b"Traceback", b"SQLite", b"site-packages", b"<script>alert", b"\x1b[", b"root:x:0", b"evil.example")
"""An answer that is JSON may have HTML as text; a page may not."""
SMUGGLED = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
OPEN = "Connection: keep-alive"
BEARER = "Authorization: Bearer {TOKEN}"
JSON, PLAIN, FORM = "application/json", "text/plain", "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=a"


@dataclass(frozen=True)
class Hostile:
    """A request, and its answer."""

    name: str
    sent: bytes
    codes: tuple[int, ...]
    says: bytes = b""


def get(path: str, *headers: str, method: str = "GET", host: str = "Host: x") -> bytes:
    """Return a request without a body."""
    last = [] if any("onnection:" in header for header in headers) else ["Connection: close"]
    lines = [f"{method} {path} HTTP/1.1", *([host] if host else []), *headers, *last]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def post(path: str, body: bytes, kind: str = JSON, *headers: str) -> bytes:
    """Return a request with a body."""
    return get(path, f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers, method="POST") + body


def framed(*headers: str, body: bytes = b"", path: str = "/v1/status") -> bytes:
    """Return a request whose headers say how long its body is, and what a proxy might take for the next one."""
    return get(path, *headers, OPEN, method="POST") + body + SMUGGLED


def part(name: str, content: bytes, *, file: str = "x.sig", end: bytes = b"\r\n--a--\r\n") -> bytes:
    """Return a form with a file."""
    head = f'--a\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n\r\n'
    return head.encode() + content + end


def submit(body: bytes, kind: str = MULTIPART, *headers: str) -> bytes:
    """Return a submission."""
    return post(f"/v1/submit/sra/{RUN}", body, kind, BEARER, *headers)


def zipped(size: int) -> bytes:
    """Return a zip file with a member of zeros."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{RUN}.sig", b"\0" * size)
    return file.getvalue()


def chunks(*lines: bytes) -> bytes:
    """Return a request in chunks."""
    return get("/v1/status", "Transfer-Encoding: chunked", OPEN, method="POST") + b"".join(lines) + SMUGGLED


BOMB, UNPACKED = 100_000_000, 20_000_000
"""Bytes that a file of a hundred kilobytes unpacks to, and that the server allows."""
XML = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
RANGES = "bytes=" + ",".join(f"{n}-{n}" for n in range(1000))
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJsYWIifQ."

PATHS = (
    Hostile("dots", get("/wort-sra/sigs/../../ledger.db"), (404,)),
    Hostile("encoded slashes", get("/wort-sra/sigs/..%2f..%2fledger.db"), (404,)),
    Hostile("encoded dots", get("/wort-sra/sigs/%2e%2e/%2e%2e/access.json"), (404,)),
    Hostile("dots encoded twice", get("/wort-sra/sigs/%252e%252e%252faccess.json"), (404,)),
    Hostile("backslashes", get("/wort-sra/sigs/..%5c..%5caccess.json"), (404,)),
    Hostile("overlong UTF-8", get("/wort-sra/sigs/%c0%ae%c0%ae%c0%afaccess.json"), (404,)),
    Hostile("wide dots", get("/wort-sra/sigs/%ef%bc%8e%ef%bc%8e/access.json"), (404,)),
    Hostile("no UTF-8", get("/v1/view/sra/%ff%fe"), (404,)),
    Hostile("null byte", get(f"/wort-sra/sigs/{DONE}%00.sig"), (404,)),
    Hostile("raw null byte", get("/wort-sra/sigs/\0.sig"), (400,)),
    Hostile("line ends", get(f"{FILE}%0d%0aX-Evil:%201"), (404,)),
    Hostile("raw control character", get("/v1/view/sra/\x1b[2J"), (400,)),
    Hostile("parameter of a segment", get(f"{FILE};/../access.json"), (404,)),
    Hostile("two slashes", get("//etc/passwd"), (404,)),
    Hostile("absolute path in a segment", get("/wort-sra/sigs//etc/passwd.sig"), (404,)),
    Hostile("slash at the end of a file", get(f"{FILE}/"), (404,)),
    Hostile("another file of the home", get("/access.json"), (404,)),
    Hostile("file of the package", get("/static/%2e%2e/%2e%2e/app.py"), (404,)),
    Hostile("HTML as an id", get("/v1/view/sra/<script>alert(1)</script>"), (404,)),
    Hostile("SQL as an id", get("/v1/status/SRR000001'--"), (400,)),
    Hostile("wide digits", get("/v1/status/SRR%ef%bc%90%ef%bc%9000001"), (400,)),
    Hostile("long path", get("/v1/view/sra/" + "A" * 20_000), (414,)),
    Hostile("many segments", get("/" + "a/" * 10_000), (414,)),
    Hostile("URL of another host", get("http://evil.example/v1/view/sra/SRR000009"), (404,)),
    Hostile("address of a tunnel", get("evil.example:80", method="CONNECT"), (404,)),
    Hostile("asterisk", get("*", method="OPTIONS"), (404,)),
)
FRAMES = (
    Hostile("two lengths", framed("Content-Length: 0", "Content-Length: 5"), (400,)),
    Hostile("list of lengths", framed("Content-Length: 0, 5"), (400,)),
    Hostile("length with a sign", framed("Content-Length: +5"), (400,)),
    Hostile("negative length", framed("Content-Length: -5"), (400,)),
    Hostile("hexadecimal length", framed("Content-Length: 0x5"), (400,)),
    Hostile("huge length", framed("Content-Length: 99999999999999999999999"), (400,)),
    Hostile("unknown coding", framed("Transfer-Encoding: xchunked"), (501,)),
    Hostile("two codings", framed("Transfer-Encoding: gzip, chunked"), (501,)),
    Hostile("chunked twice", framed("Transfer-Encoding: chunked, chunked"), (501,)),
    Hostile("control character before the coding", framed("Transfer-Encoding: \x0bchunked"), (400,)),
    Hostile("space before the colon", framed("Transfer-Encoding : chunked"), (400,)),
    Hostile("length and chunks", framed("Content-Length: 4", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"), (400,)),
    Hostile("chunks in HTTP/1.0", framed("Transfer-Encoding: chunked", body=b"0\r\n\r\n").replace(b"/1.1", b"/1.0", 1),
            (400,)),
    Hostile("negative chunk", chunks(b"-1\r\n"), (400,)),
    Hostile("huge chunk", chunks(b"fffffffffffffffffffff\r\n"), (400,)),
    Hostile("chunk without an end", chunks(b"5\r\nabcdefghij"), (400,)),
    Hostile("long extension of a chunk", chunks(b"1;" + b"x" * 100_000 + b"\r\n"), (400,)),
    Hostile("folded header", get("/health", " X: y"), (400,)),
    Hostile("header without a name", get("/health", ": y"), (400,)),
    Hostile("null byte in a header", get("/health", "X: a\0b"), (400,)),
    Hostile("return in a header", get("/health", "X: a\rY: b"), (400,)),
    Hostile("huge header", get("/health", "X: " + "x" * 100_000), (431,)),
    Hostile("many headers", get("/health", *(f"X{n}: x" for n in range(20_000))), (431,)),
    Hostile("endless method", b"A" * 100_000, (431,)),
    Hostile("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500 + b"\r\n\r\n", (400,)),
    Hostile("HTTP/0.9", b"GET /health\r\n\r\n", (400,)),
    Hostile("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (505,)),
    Hostile("two requests at once", get("/health", OPEN) + get("/v1/view/sra/x"), (200, 404)),
)  # fmt: skip
HOSTS = (
    Hostile("two hosts", get("/health", "Host: y"), (400,)),
    Hostile("no host", get("/health", host=""), (400,)),
    Hostile("host of another site", get(f"/view/sra/{DONE}", host="Host: evil.example"), (308,)),
    Hostile("forwarded host", get(VIEW, "X-Forwarded-Host: evil.example", "X-Original-URL: /access.json"), (302,)),
    Hostile("host with a path", get(VIEW, host="Host: x.example/y?z#"), (400,)),
    Hostile("host with a user", get(VIEW, host="Host: a@x.example"), (400,)),
    Hostile("method in a header", get(VIEW, "X-HTTP-Method-Override: DELETE", "X-Method: DELETE"), (302,)),
    Hostile("method in the query", get("/v1/queue?_method=POST"), (200,)),
    Hostile("other method", get(FILE, method="PUT"), (405,)),
    Hostile("trace", get("/health", "Cookie: secret=1", method="TRACE"), (405,)),
    Hostile("upgrade to HTTP/2", get("/health", "Connection: Upgrade, HTTP2-Settings, close", "Upgrade: h2c",
                                    "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"), (200,)),
    Hostile("websocket", get("/v1/events", "Connection: Upgrade, close", "Upgrade: websocket",
                             "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                             method="HEAD"), (200,)),
)  # fmt: skip
BODIES = (
    Hostile("huge body", post("/v1/status", b" " * 1_500_000), (413,), b"at most 1000000 bytes"),
    Hostile("many ids", post("/v1/status", json.dumps({"ids": [str(n) for n in range(10_001)]}).encode()), (413,)),
    Hostile("deep JSON", post("/v1/status", b"[" * 500_000), (400,), b"not JSON"),
    Hostile("endless number", post("/v1/status", b'{"ids": ' + b"9" * 500_000 + b"}"), (400,)),
    Hostile("not UTF-8", post("/v1/status", b"\xff\xfe{}"), (400,)),
    Hostile("half of a character", post("/v1/status", b'{"ids": ["\\ud800"]}'), (400,), b"not JSON"),
    Hostile("HTML and escapes as ids", post("/v1/status", json.dumps({"ids": [HTML, "\x1b[2J"]}).encode()), (200,)),
    Hostile("formula as an id", post("/v1/status?format=csv", b"=1+1|x", PLAIN), (200,), b"'=1+1|x,unknown"),
    Hostile("compressed body", post("/v1/status", gzip.compress(b" " * 10_000_000), JSON, "Content-Encoding: gzip"),
            (400,), b"not JSON"),
    Hostile("XML with an entity", post("/v1/status", XML, "application/xml"), (400,), b"not JSON"),
    Hostile("escape in a group", post("/v1/compute", b'{"ids": [], "group": "\\u001b[2J"}', JSON, BEARER), (400,)),
    Hostile("path as a group", get("/group/..%2f..%2f..%2fetc%2fpasswd/"), (404,)),
    Hostile("prototype", post("/v1/status", b'{"__proto__": {"ids": ["x"]}}'), (400,)),
)  # fmt: skip
FORMS = (
    Hostile("gzip bomb", submit(part("file", gzip.compress(b"\0" * BOMB, 1))), (400,), b"is refused"),
    Hostile("zip bomb", submit(part("file", zipped(BOMB))), (400,), b"is refused"),
    Hostile("deep signature", submit(part("file", b"[" * 1_000_000)), (400,), b"is refused"),
    Hostile("XML as a signature", submit(part("file", XML)), (400,), b"is refused"),
    Hostile("escapes in a signature's name", submit(part("file", text(document("x\x1b[2J")))), (400,)),
    Hostile("HTML in a signature's name", submit(part("file", text(document(HTML)))), (202,), b"unverified"),
    Hostile("thousand parts", submit(b"".join(
        b'--a\r\nContent-Disposition: form-data; name="f%d"\r\n\r\nx\r\n' % n for n in range(1000)
    ) + b"--a--\r\n"), (400,), b"more than 10 fields"),
    Hostile("two files", submit(part("file", b"x", end=b"\r\n") + part("file", b"x")), (400,), b"several fields"),
    Hostile("no content", submit(b"--a\r\n" * 10_000), (400,)),
    Hostile("endless header of a part", submit(b"--a\r\nX: " + b"x" * 50_000), (400,)),
    Hostile("form without an end", submit(part("file", b"x", end=b"")), (400,)),
    Hostile("long boundary", submit(b"x", f"multipart/form-data; boundary={'b' * 5000}"), (400,), b"no boundary"),
    Hostile("two boundaries", submit(part("file", b"x"), "multipart/form-data; boundary=b; boundary=a"), (400,)),
    Hostile("another form", submit(b"file=x", FORM), (400,)),
    Hostile("URL in place of a file", submit(b"public_url=http://127.0.0.1/", FORM), (400,)),
)  # fmt: skip
TOKENS = (
    Hostile("no token", post("/v1/compute", b'{"ids": []}'), (401,), b"No authorization token"),
    Hostile("half of a token", post("/v1/compute", b"{}", JSON, "Authorization: Bearer {HALF}"), (401,)),
    Hostile("longer token", post("/v1/compute", b"{}", JSON, f"{BEARER}x"), (401,)),
    Hostile("hash of a token", post("/v1/compute", b"{}", JSON, "Authorization: Bearer {HASH}"), (401,)),
    Hostile("unsigned JWT", post("/v1/compute", b"{}", JSON, f"Authorization: Bearer {JWT}"), (401,)),
    Hostile("SQL as a token", post("/v1/compute", b"{}", JSON, "Authorization: Bearer ' OR 1=1 --"), (401,)),
    Hostile("name of a token", post("/v1/compute", b"{}", JSON, "Authorization: Bearer lab"), (401,)),
    Hostile("wrong token before the right one", post("/v1/compute", b"{}", JSON, "Authorization: Bearer x", BEARER),
            (401,)),
    Hostile("token in the query", post("/v1/compute?token={TOKEN}&access_token={TOKEN}", b"{}"), (401,)),
    Hostile("token in a cookie", post("/v1/compute", b"{}", JSON, "Cookie: token={TOKEN}; session={TOKEN}"), (401,)),
    Hostile("null byte in a password", get("/v1/auth/tokens", "Authorization: Basic YW5uOgBhAA==", method="POST"),
            (401,)),
    Hostile("endless credentials", get("/v1/auth/tokens", "Authorization: Basic " + "QQ" * 10_000, method="POST"),
            (401,)),
    Hostile("form of another site", post("/v1/compute", b"ids=SRR000001", FORM, "Origin: https://evil.example"),
            (401,)),
    Hostile("text of another site", post("/v1/jobs/cancel", b'{"all": true}', PLAIN, "Origin: null"), (401,)),
    Hostile("question of another site", get("/v1/compute", "Origin: https://evil.example",
                                           "Access-Control-Request-Method: POST", method="OPTIONS"), (200,)),
)  # fmt: skip
RANGES_OF_A_FILE = (
    Hostile("thousand ranges", get(FILE, f"Range: {RANGES}"), (200,)),
    Hostile("overlapping ranges", get(FILE, "Range: bytes=0-,0-,0-,0-"), (200,)),
    Hostile("range behind the end", get(FILE, "Range: bytes=999999999999-"), (416,)),
    Hostile("range of huge numbers", get(FILE, f"Range: bytes={'9' * 5000}-"), (200,)),
    Hostile("range that ends before it begins", get(FILE, "Range: bytes=9-1"), (200,)),
    Hostile("range of wide digits", get(FILE, "Range: bytes=\xb2-\xb3"), (200,)),
    Hostile("unknown unit", get(FILE, "Range: lines=0-1"), (200,)),
)
ALL = PATHS + FRAMES + HOSTS + BODIES + FORMS + TOKENS + RANGES_OF_A_FILE
assert len({row.name for row in ALL}) == len(ALL) > 60
