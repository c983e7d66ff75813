"""`wort token`: who may change something through `wort serve`."""

import getpass
import sys
import time
from typing import Annotated

import typer

from wort_cli.commands.shared.arguments.durations import parse_duration
from wort_cli.commands.shared.arguments.options import JsonOption, NoHeaderOption
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import BOOLEAN, COUNT, ID, TEXT, TIME, Document, Field, list_of, one_of
from wort_cli.commands.shared.showing.printing import Form, print_document, print_records
from wort_cli.errors import UsageError, shown
from wort_cli.model.units import iso_time
from wort_cli.settings import load_settings
from wort_cli.web.access_file import AccessFile, Right, Token, parse_rights

NAME = Field("name", ID, "The name of the token, or of the user")
MAY = Field("may", list_of(one_of(Right)), "What it allows")
EXPIRES = Field("expires_at", TIME, "When it ends; null if it is valid until it is revoked", optional=True)
LIST = Document(
    "token list",
    "The tokens, and the users with passwords.",
    rows="tokens",
    row=(
        NAME,
        Field(
            "kind", one_of(("token", "user", "login")), "A token, a user, or a token that a user got with a password"
        ),
        MAY,
        Field("created_at", TIME, "When it was made"),
        EXPIRES,
        Field("valid", BOOLEAN, "Whether it has not expired"),
    ),
    columns=("name", "kind", "may", "created_at", "expires_at"),
)
ADDED = Document(
    "token add",
    "The token that was made.",
    head=(NAME, MAY, EXPIRES, Field("token", TEXT, "The token itself; it is not stored, and shown only now")),
)
PASSWORD = Document("token password", "The user whose password was set.", head=(NAME, MAY))
REVOKED = Document(
    "token revoke", "What was revoked.", head=(NAME, Field("revoked", COUNT, "The number of tokens and users"))
)
LONGEST = 3650 * 86_400
app = typer.Typer(help="Allow clients of `wort serve` to change something.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The name of the token or the user.")]
MayOption = Annotated[
    str, typer.Option("--may", metavar="RIGHT,...", help="What it allows: read, compute, submit, cancel, retry, pause.")
]


def access_file() -> AccessFile:
    """Return the file of this home."""
    settings = load_settings()
    settings.make_directories()
    return AccessFile(settings.access_file)


@app.command()
def add(
    name: NameArgument,
    may: MayOption = "read,compute,submit",
    expires: Annotated[
        str, typer.Option("--expires", metavar="TIME", help="How long it is valid, such as 30d (default: always).")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Make a token, and print it.

    A client sends it as `Authorization: Bearer TOKEN`. Only its hash is stored, so that it cannot be shown again.
    """
    rights = parse_rights(may)
    seconds = parse_duration(expires, "--expires", LONGEST) if expires else None
    secret = access_file().add(name, rights, seconds)
    if as_json:
        ends = None if seconds is None else iso_time(time.time() + seconds)
        print_document(ADDED, {"name": name, "may": list(rights), "expires_at": ends, "token": secret})
    else:
        render.result(secret)
        render.notice(f"{name} may {', '.join(rights)}; the token is not stored, and cannot be shown again")


@app.command("list")
def list_tokens(as_json: JsonOption = False, no_header: NoHeaderOption = False) -> None:
    """List the tokens, and the users with passwords."""
    access = access_file().read()
    rows = [token_record(token) for token in access.tokens] + [
        {
            "name": user.name,
            "kind": "user",
            "may": list(user.may),
            "created_at": iso_time(user.created_at),
            "expires_at": None,
            "valid": True,
        }
        for user in access.users
    ]
    print_records(LIST, rows, Form.of(as_json=as_json), header=not no_header)


def token_record(token: Token) -> dict[str, object]:
    """Return a token as a row."""
    return {
        "name": token.name,
        "kind": "login" if token.login else "token",
        "may": list(token.may),
        "created_at": iso_time(token.created_at),
        "expires_at": None if token.expires_at is None else iso_time(token.expires_at),
        "valid": token.expires_at is None or token.expires_at > time.time(),
    }


@app.command()
def revoke(name: NameArgument, as_json: JsonOption = False) -> None:
    """Revoke a token, or remove a user and all tokens of the user.

    A running server refuses them at once.
    """
    number = access_file().revoke(name)
    if not number:
        raise UsageError(f"there is no token or user {shown(name)}", "`wort token list` lists them")
    if as_json:
        print_document(REVOKED, {"name": name, "revoked": number})
    else:
        render.result(f"revoked {name}")


@app.command()
def password(name: NameArgument, may: MayOption = "read,compute,submit", as_json: JsonOption = False) -> None:
    """Set the password and the rights of a user, who may be new.

    A user with a password gets tokens at /v1/auth/tokens, as clients of the public service do. The password is read
    from the terminal, or from the first line of standard input.
    """
    rights = parse_rights(may)
    secret = getpass.getpass("password: ") if sys.stdin.isatty() else sys.stdin.readline(2000).rstrip("\r\n")
    access_file().set_password(name, secret, rights)
    if as_json:
        print_document(PASSWORD, {"name": name, "may": list(rights)})
    else:
        render.result(f"{name} may {', '.join(rights)}, with this password")
