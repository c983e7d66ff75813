"""Lists a bucket of many keys, and prints how many keys were list_runs and the peak memory in bytes.

    python -m benchmarks.listing PAGES      a page has 1000 keys

The server is part of this file, and generates the listings: storing a million objects would take an hour.  It runs in
a separate process, so that the measured memory is that of the client only.
"""

import multiprocessing
import os
import resource
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing.connection import Connection
from urllib.parse import parse_qs, urlsplit

from wort_cli.model.s3_target import S3Target
from wort_cli.stores.run_copies import list_runs
from wort_cli.stores.s3 import S3Store
from wort_cli.stores.shared import SharedStore

PAGE = 1000
FIRST = 100_000_000
ITEM = (
    "<Contents><Key>sigs/SRR{}.sig</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
    "<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>5000</Size></Contents>"
)


def serve(pages: int, port: Connection) -> None:
    """Answer every GET with a page of a listing, until the process is killed.  Sends the port number to `port`."""

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
            """Log nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    port.send(server.server_address[1])
    server.serve_forever()


def main() -> None:
    """List the bucket, and print the figures."""
    pages = int(sys.argv[1])
    receiver, sender = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(pages, sender), daemon=True)
    server.start()
    os.environ |= {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_EC2_METADATA_DISABLED": "true"}
    target = S3Target("a-bucket", endpoint=f"http://127.0.0.1:{receiver.recv()}", addressing="path")
    keys = sum(1 for _ in list_runs(SharedStore(S3Store(target)), "sigs/", ".sig"))
    server.kill()
    server.join()
    print(keys, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    main()
