"""Classifies the errors of PostgreSQL, Redis and their client libraries: a table with recorded examples, and hints.

A password is removed from each text before it goes anywhere: libpq, for one, repeats a password that it cannot decode.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from wort_cli.errors import QueueUnavailable, printable
from wort_cli.model.queue_address import host_of, without_password

MOST = 300
"""Characters of an error that are shown."""
PREFIX = re.compile(r"^(connection failed: )?(connection to server at \S+( \(\S+\))?, port \d+ failed: )?")


@dataclass(frozen=True)
class Meaning:
    """A kind of error: how its texts are recognised, what it means, what to do, and texts that were recorded."""

    pattern: str
    sentence: str
    hint: str
    examples: tuple[str, ...]


AUTHORITY = "`sslrootcert=FILE` (PostgreSQL) or `ssl_ca_certs=FILE` (Redis) in the URL"
TABLE = (
    Meaning(
        r"^bad value for|^invalid \S+ value:",
        "an option of its URL has a value that is not valid",
        "the options are those of libpq (PostgreSQL); see docs/workers.md",
        ("bad value for connect_timeout: 'xyz'", 'invalid sslmode value: "foo"'),
    ),
    Meaning(
        r"Hostname mismatch|IP address mismatch|does not match host name",
        "its certificate is for another host",
        "give the host in the URL as the certificate names it; else another server may answer in its place",
        (
            "Error 1 connecting to localhost:25934. [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
            "Hostname mismatch, certificate is not valid for 'localhost'. (_ssl.c:1006).",
            'server certificate for "127.0.0.1" (and 1 other name) does not match host name "localhost"',
        ),
    ),
    Meaning(
        r"certificate has expired",
        "its certificate has expired",
        "renew the certificate of the server, or check the clock of this machine",
        (
            "Error 1 connecting to 127.0.0.1:25934. [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
            "certificate has expired (_ssl.c:1006).",
        ),
    ),
    Meaning(
        r"certificate verify failed",
        "its certificate is not from an authority that this machine trusts",
        f"{AUTHORITY} names the certificate of its authority; else another server may answer in its place",
        (
            "SSL error: certificate verify failed",
            "Error 1 connecting to 127.0.0.1:25934. [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
            "self-signed certificate (_ssl.c:1006).",
        ),
    ),
    Meaning(
        r"root certificate file|Error 2 connecting|NO_CERTIFICATE_OR_CRL_FOUND|PEM lib",
        "the file with the certificate of its authority cannot be read",
        f"check the path in {AUTHORITY}",
        (
            'root certificate file "/no/such" does not exist Either provide the file, use the system\'s trusted roots '
            "with sslrootcert=system, or change sslmode to disable server certificate verification.",
            "Error 2 connecting to 127.0.0.1:25934. No such file or directory.",
            "[X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found (_ssl.c:4149)",
        ),
    ),
    Meaning(
        r"pg_hba\.conf.*SSL encryption|is running in protected mode",
        "the server lets no such user of this host into the database",
        "PostgreSQL: add a line with the database, the user and the network of this host to pg_hba.conf, and reload "
        "it; Redis: set a password, and `bind`",
        (
            'FATAL: no pg_hba.conf entry for host "10.0.0.7", user "wort", database "wort", SSL encryption',
            'FATAL: no pg_hba.conf entry for host "10.0.0.7", user "wort", database "wort", SSL encryption connection '
            'to server at "10.0.0.1", port 5432 failed: FATAL: no pg_hba.conf entry for host "10.0.0.7", user "wort", '
            'database "wort", no encryption',
        ),
    ),
    Meaning(
        r"does not support SSL|WRONG_VERSION_NUMBER|no encryption",
        "the URL asks for TLS and the server has none, or the reverse",
        "`sslmode=require` (PostgreSQL) or `rediss://` (Redis) in the URL asks for TLS; see docs/workers.md",
        (
            "server does not support SSL, but SSL was required",
            'FATAL: no pg_hba.conf entry for host "10.0.0.7", user "wort", database "wort", no encryption',
        ),
    ),
    Meaning(
        r"authentication failed|no password supplied|invalid username-password|WRONGPASS|NOAUTH|HELLO must be called"
        r"|Authentication required|called without any password configured|role \".*\" does not exist",
        "the server refuses the user or the password",
        "check the user in the URL, and `queue_password_file` or WORT_QUEUE_PASSWORD; a changed file is read again",
        (
            'FATAL: password authentication failed for user "wort"',
            "fe_sendauth: no password supplied",
            "invalid username-password pair or user is disabled.",
            "HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option "
            "can be used to authenticate the client and select the RESP protocol version at the same time",
        ),
    ),
    Meaning(
        r"too many (connections|clients)|connection slots are reserved|max number of clients",
        "the server has no connection left",
        "wort tries again; raise `max_connections` (PostgreSQL) or `maxclients` (Redis): each worker needs one",
        (
            "FATAL: sorry, too many clients already",
            'FATAL: too many connections for role "wort"',
            "FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute",
            "max number of clients reached",
        ),
    ),
    Meaning(
        r"read[- ]?only",
        "the server is a read-only replica, or its database is read-only",
        "give the address of the primary server; wort tries again",
        (
            "You can't write against a read only replica.",
            "READONLY You can't write against a read only replica. script: 6a3e, on @user_script:1.",
            "cannot execute INSERT in a read-only transaction",
        ),
    ),
    Meaning(
        r"OOM command not allowed|maxmemory",
        "the memory of the server is full",
        "raise `maxmemory` of the server; wort tries again",
        ("command not allowed when used memory > 'maxmemory'.",),
    ),
    Meaning(
        r"No space left on device|could not extend file|MISCONF|Errors writing to the AOF",
        "the disk of the server is full, or cannot be written",
        "free space on the disk of the server; wort tries again",
        (
            'could not extend file "base/16384/16397": No space left on device HINT: Check free disk space.',
            "MISCONF Errors writing to the AOF file: No space left on device",
        ),
    ),
    Meaning(
        r"database system is|terminating connection|LOADING|loading the dataset|MASTERDOWN|Link with MASTER is down",
        "the server starts, stops or recovers",
        "wort tries again",
        (
            "FATAL: the database system is starting up",
            "terminating connection due to administrator command",
            "Redis is loading the dataset in memory",
            "Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        ),
    ),
    Meaning(
        r"database \".*\" does not exist|DB index is out of range",
        "the server has no such database",
        "create the database, or give another one in the URL",
        ('FATAL: database "other" does not exist', "DB index is out of range"),
    ),
    Meaning(
        r"permission denied|must be owner of|NOPERM|has no permissions",
        "the user may not do what a queue needs",
        "make the user the owner of the database (PostgreSQL), or allow it all commands (Redis)",
        (
            "permission denied for schema public",
            "this user has no permissions to run the 'zadd' command",
        ),
    ),
    Meaning(
        r"resolve host|Name or service not known|name resolution|No address associated",
        "its name has no address",
        "check the host in the URL, and the DNS of this machine",
        (
            "failed to resolve host 'no-such-host.invalid': [Errno -2] Name or service not known",
            "Error -2 connecting to no-such-host.invalid:25934. Name or service not known.",
        ),
    ),
    Meaning(
        r"refused|reset by peer|[Tt]ime(out|d out)|closed the connection|[Cc]onnection closed|unreachable|No route"
        r"|Broken pipe|connection is (closed|lost)|EOF",
        "the server does not answer",
        "check that it runs, its port, that it listens on the network (`listen_addresses` of PostgreSQL, `bind` of "
        "Redis), and the firewall; wort tries again",
        (
            "Connection refused Is the server running on that host and accepting TCP/IP connections?",
            "Error 111 connecting to 127.0.0.1:1. Connection refused.",
            "Error while reading from 127.0.0.1:25934 : (104, 'Connection reset by peer')",
            "Timeout connecting to server",
            "server closed the connection unexpectedly This probably means the server terminated abnormally before or "
            "while processing the request.",
        ),
    ),
)
UNKNOWN = Meaning("", "", "check the server, the network, and the user and password; `wort doctor` tries again", ())
INVALID = (
    "the URL of the queue has an option that is not known, or a value that is not valid",
    "the options are those of libpq (PostgreSQL) or of redis-py (Redis); see docs/workers.md",
)
"""The sentence and the hint for an address that the client library refuses."""


def meaning_of(text: str) -> Meaning:
    """Return the row of an error."""
    return next((row for row in TABLE if re.search(row.pattern, text)), UNKNOWN)


def plain(text: str, secrets: Iterable[str]) -> str:
    """Return what an error says, in one line and without passwords."""
    said = PREFIX.sub("", " ".join(str(without_password(text)).split()))
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        said = said.replace(secret, "***")
    return printable(said)[:MOST]


def unavailable(url: str, text: str, secrets: Iterable[str]) -> QueueUnavailable:
    """Return the error for what a server or its client library said."""
    said, row = plain(text, secrets), meaning_of(text)
    why = f"{row.sentence} ({said})" if row.sentence else said
    return QueueUnavailable(f"the queue at {host_of(url)} cannot be used: {why}", row.hint)
