"""The documents of the interface, made from its description: its operations in groups, and its schemas.

Example lines get the URL of the server, a run of which it has the signature and its job, so that they run as they are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import parse_name
from wort_cli.model.profile import SRA_V1
from wort_cli.model.provenance import Trust
from wort_cli.web.openapi_examples import BEARER, JOB, RUN, WORT
from wort_cli.web.pages.places import SRA, database_of

NEWEST = 50
"""Signatures among which a run for the examples is looked for."""
OPENS = {"token": "a token", "password": "a user and a password"}
SHOWN_CHOICES = 12
"""Values of a choice that are shown; of a longer one only the first."""
REFERENCE = "#/components/schemas/"


@dataclass(frozen=True)
class TypeView:
    """The type of a value in words; `schema` is the name of the schema that it is or has, if any."""

    words: str
    schema: str = ""
    choices: tuple[str, ...] = ()
    more: int = 0
    """Choices that are not shown."""


@dataclass(frozen=True)
class Field:
    """A key of an object, or a parameter; `place` is where the parameter is."""

    name: str
    type: TypeView
    required: bool
    about: str = ""
    place: str = ""


@dataclass(frozen=True)
class Content:
    """A body: its media type, its type, and its keys if it is an object."""

    media_type: str
    type: TypeView
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class ResponseView:
    """A response; `is_problem` if its body is a problem document."""

    code: str
    phrase: str
    about: str
    contents: tuple[Content, ...]

    @property
    def is_problem(self) -> bool:
        """Whether its body is a problem document."""
        return any(content.type.schema == "Problem" for content in self.contents)


@dataclass(frozen=True)
class ExampleView:
    """Command lines, and what they do."""

    label: str
    source: str


@dataclass(frozen=True)
class OperationView:
    """An operation: a method of a path."""

    anchor: str
    method: str
    path: str
    summary: str
    needs: str
    """The required credentials, as a sentence; empty if none."""
    parameters: tuple[Field, ...]
    bodies: tuple[Content, ...]
    responses: tuple[ResponseView, ...]
    examples: tuple[ExampleView, ...]


@dataclass(frozen=True)
class GroupView:
    """A group of operations."""

    name: str
    about: str
    operations: tuple[OperationView, ...]

    @property
    def anchor(self) -> str:
        """Its anchor in the page."""
        return anchor_of(self.name)


@dataclass(frozen=True)
class SchemaView:
    """A schema that several bodies have."""

    name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Subject:
    """The URL and the examples of a server, which the command lines use."""

    url: str
    """The URL of the server."""
    run: str = RUN
    job: str = JOB
    is_closed: bool = False
    """Whether reading needs a token."""

    def filled(self, operation: OperationView) -> OperationView:
        """Return an operation with examples that are about this."""
        examples = tuple(replace(each, source=self.source(each.source)) for each in operation.examples)
        return replace(operation, examples=examples)

    def source(self, text: str) -> str:
        """Return command lines that are about this."""
        lines = text.replace(WORT, self.url).replace(RUN, self.run).replace(JOB, self.job).split("\n")
        if self.is_closed:
            lines = [with_token(line) for line in lines]
        return "\n".join(lines)


def with_token(line: str) -> str:
    """Return a command line whose request has a token."""
    needs = line.startswith("curl ") and BEARER not in line
    return line.replace("curl ", f"curl {BEARER} ", 1) if needs else line


@dataclass(frozen=True)
class ApiPage:
    """The documents of the interface."""

    description: Mapping[str, Any]
    is_closed: bool
    groups: tuple[GroupView, ...]
    schemas: tuple[SchemaView, ...]

    def document(self) -> dict[str, Any]:
        """Return the description itself."""
        return dict(self.description)


def api_page(description: Mapping[str, Any], subject: Subject) -> ApiPage:
    """Return the page of a description, with examples about a subject."""
    operations = [
        (described.get("tags", [""])[0], operation_view(method, path, described))
        for path, methods in description["paths"].items()
        for method, described in methods.items()
    ]
    groups = tuple(
        GroupView(
            tag["name"],
            tag["description"],
            tuple(subject.filled(one) for name, one in operations if name == tag["name"]),
        )
        for tag in description["tags"]
    )
    schemas = description["components"]["schemas"]
    return ApiPage(
        description,
        subject.is_closed,
        groups,
        tuple(SchemaView(name, fields_of(schemas[name])) for name in sorted(schemas)),
    )


def subject_of(ledger: Ledger, withheld: frozenset[Trust], url: str, *, is_closed: bool = False) -> Subject:
    """Return the newest run of which the server sends the signature, and its job; one that has a job, if possible."""
    found = Subject(url, is_closed=is_closed)
    for one in ledger.catalog.newest(NEWEST):
        is_sent = one.profile == SRA_V1.name and Trust(one.trust) not in withheld
        if is_sent and one.path and database_of(one.name) == SRA:
            if jobs := ledger.jobs.named(parse_name(one.name)):
                return Subject(url, one.name, str(jobs[0].id), is_closed)
            if found.run == RUN:
                found = replace(found, run=one.name)
    return found


def anchor_of(text: str) -> str:
    """Return a text as the anchor of an element."""
    return "-".join(filter(None, "".join(c if c.isalnum() else " " for c in text.lower()).split()))


def operation_view(method: str, path: str, described: Mapping[str, Any]) -> OperationView:
    """Return an operation as the page shows it."""
    needs = [OPENS[name] for way in described.get("security", ()) for name in way]
    return OperationView(
        anchor=anchor_of(f"{method} {path}"),
        method=method.upper(),
        path=path,
        summary=described["summary"],
        needs=described.get("description") or (f"Needs {' or '.join(needs)}." if needs else ""),
        parameters=tuple(
            Field(each["name"], type_of(each["schema"]), each["required"], each["description"], each["in"])
            for each in described.get("parameters", ())
        ),
        bodies=tuple(contents_of(described.get("requestBody", {}))),
        responses=tuple(
            ResponseView(code, HTTPStatus(int(code)).phrase, each["description"], tuple(contents_of(each)))
            for code, each in described["responses"].items()
        ),
        examples=tuple(ExampleView(each["label"], each["source"]) for each in described.get("x-codeSamples", ())),
    )


def contents_of(described: Mapping[str, Any]) -> Iterator[Content]:
    """Yield the bodies that a request or a response may have."""
    for media_type, content in described.get("content", {}).items():
        yield Content(media_type, type_of(content["schema"]), fields_of(content["schema"]))


def type_of(schema: Mapping[str, Any]) -> TypeView:
    """Return the type of a value in words."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(REFERENCE)
        return TypeView(name, name)
    if "allOf" in schema:
        return or_null(type_of(schema["allOf"][0]), schema)
    if "enum" in schema:
        choices = tuple(str(each) for each in schema["enum"] if each is not None)
        more = max(0, len(choices) - SHOWN_CHOICES)
        return or_null(TypeView("one of", choices=choices[:SHOWN_CHOICES], more=more), schema)
    if schema.get("type") == "array":
        item = type_of(schema["items"])
        return replace(item, words=f"list of {item.words}")
    if schema.get("format") == "binary":
        return TypeView("bytes")
    words = schema.get("type", "JSON")
    if "minimum" in schema and "maximum" in schema:
        words += f" from {schema['minimum']:,} to {schema['maximum']:,}"
    return or_null(TypeView(words), schema)


def or_null(view: TypeView, schema: Mapping[str, Any]) -> TypeView:
    """Return a type that may be null, if its schema says so."""
    if not schema.get("nullable"):
        return view
    return replace(view, words="null or one of" if view.choices else f"{view.words} or null")


def fields_of(schema: Mapping[str, Any], before: str = "") -> tuple[Field, ...]:
    """Return the keys of an object; those of objects within it have the names of both."""
    if schema.get("type") == "array":
        return fields_of(schema["items"], f"{before}[].".replace(".[]", "[]"))
    found: list[Field] = []
    required = schema.get("required", ())
    for name, each in schema.get("properties", {}).items():
        found.append(Field(before + name, type_of(each), name in required))
        found += fields_of(each, f"{before}{name}.")
    return tuple(found)
