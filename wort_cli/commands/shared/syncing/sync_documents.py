"""The output of the commands of `wort sync`."""

from collections.abc import Sequence

from wort_cli.commands.shared.showing.fields import (
    BOOLEAN,
    BYTES,
    ID,
    MESSAGE,
    PATH,
    PATH_FIELD,
    Document,
    Field,
    one_of,
)

STATE = "What was done, or would be done"


def report_of(command: str, about: str, states: Sequence[str], state: str = STATE) -> Document:
    """Return the document of a command that reports on runs."""
    return Document(
        command,
        about,
        head=(
            Field("bucket", PATH, "The URL of the bucket, with the prefix of its keys"),
            Field("dry_run", BOOLEAN, "Whether nothing was changed"),
        ),
        rows="signatures",
        row=(Field("name", ID, "The run"), Field("state", one_of(states), state), MESSAGE, PATH_FIELD),
        columns=("name", "state", "message"),
    )


PUSH = report_of(
    "sync push",
    "The signatures that were uploaded, or could not be; not those that the bucket had.",
    ("put", "already there", "replaced", "failed", "would be put", "would be compared"),
)
PULL = report_of(
    "sync pull",
    "The signatures that were downloaded, or could not be; not those that were here.",
    ("pulled", "failed", "would be pulled"),
)
PROBLEMS = (
    *("not-there", "not-here", "empty", "unreadable", "too-large", "unreadable-here", "other-profile", "different"),
    *("no-provenance", "orphaned-provenance", "pending-upload", "failed"),
)
"""The kinds of differences between the stores (stores/transfer.py), or `failed` if they could not be compared."""
CHECK = report_of("sync check", "The differences of the two stores.", PROBLEMS, "How the two stores differ")
LIST = Document(
    "sync ls",
    "The signatures in the bucket.",
    head=(Field("bucket", PATH, "The URL of the bucket, with the prefix of its keys"),),
    rows="signatures",
    row=(
        Field("name", ID, "The run"),
        Field("size", BYTES, "The size of the object"),
        Field("local", BOOLEAN, "Whether the local store has a signature of the run"),
        Field("provenance", BOOLEAN, "Whether the bucket has its provenance"),
        Field("url", PATH, "The object"),
        Field("path", PATH, "The file in the local store", optional=True),
    ),
    columns=("name", "size", "local", "provenance", "url"),
)
