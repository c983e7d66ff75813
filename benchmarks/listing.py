"""Lists a bucket of as many thousand keys as asked for, and prints how many came and the peak of memory, in bytes.

    python -m benchmarks.listing 1000

The server is of this file and knows nothing but listings, which it makes up: a million objects would take an hour to
store.  It runs in a process of its own, so that the memory measured is the reader's.
"""

import multiprocessing
import os
import resource
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing.connection import Connection
from urllib.parse import parse_qs, urlsplit

from wort_cli.model.s3_target import S3Target
from wort_cli.stores.run_copies import listed
from wort_cli.stores.s3 import S3Store
from wort_cli.stores.shared import SharedStore

PAGE = 1000
FIRST = 100_000_000
ITEM = (
    "<Contents><Key>sigs/SRR{}.sig</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
    "<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>5000</Size></Contents>"
)


def serve(pages: int, tell: Connection) -> None:
    """Answer every GET with a page of a listing, until killed."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            page = int(parse_qs(urlsplit(self.path).query).get("continuation-token", ["0"])[0])
            more = page + 1 < pages
            start = FIRST + page * PAGE
            body = "<ListBucketResult>" + "".join(ITEM.format(n) for n in range(start, start + PAGE))
            body += f"<IsTruncated>{str(more).lower()}</IsTruncated>"
            body += f"<NextContinuationToken>{page + 1}</NextContinuationToken></ListBucketResult>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    tell.send(server.server_address[1])
    server.serve_forever()


def main() -> None:
    """List, and print what came."""
    pages = int(sys.argv[1])
    told, tell = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(pages, tell), daemon=True)
    server.start()
    os.environ |= {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_EC2_METADATA_DISABLED": "true"}
    target = S3Target("a-bucket", endpoint=f"http://127.0.0.1:{told.recv()}", addressing="path")
    keys = sum(1 for _ in listed(SharedStore(S3Store(target)), "sigs/", ".sig"))
    server.kill()
    server.join()
    print(keys, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    main()
