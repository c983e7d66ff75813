"""`/v1/openapi.json` and `.yaml`: the description of the interface (OpenAPI 3.0).

The YAML is the same JSON, which is YAML too.
"""

import json
from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

import wort_cli
from wort_cli.web.openapi_examples import GROUPS, with_examples
from wort_cli.web.openapi_operations import CHANGING, problem_answer
from wort_cli.web.openapi_paths import described_paths
from wort_cli.web.openapi_schemas import SCHEMAS, Schema
from wort_cli.web.reading import unguarded
from wort_cli.web.services import Services

OPEN = ("/health", "/v1/openapi.json", "/v1/openapi.yaml")
"""The paths that stay open if reading is closed."""


def close(paths: dict[str, Schema]) -> dict[str, Schema]:
    """Add to the description of what only reads that it needs a token."""
    for path, methods in paths.items():
        for found in methods.values():
            if path not in OPEN and "security" not in found:
                found["security"] = [{"token": []}]
                for code in CHANGING:
                    found["responses"].setdefault(str(code), problem_answer(code))
    return paths


@cache
def description(root: str, *, is_closed: bool = False) -> Schema:
    """Return the description of the interface below a root path.

    is_closed: whether reading needs a token
    """
    paths = with_examples(described_paths())
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "wort",
            "version": wort_cli.__version__,
            "description": "Signatures of sequencing runs and assemblies",
        },
        "servers": [{"url": root or "/"}],
        "tags": [{"name": group.name, "description": group.about} for group in GROUPS],
        "paths": close(paths) if is_closed else paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "password": {"type": "http", "scheme": "basic"},
            },
        },
    }


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        Route("/v1/openapi.json", openapi, methods=["GET"]),
        Route("/v1/openapi.yaml", openapi, methods=["GET"], name="openapi_yaml"),
    ]


@unguarded
async def openapi(request: Request) -> Response:
    """Send the description."""
    services: Services = request.app.state.services
    found = description(str(request.scope.get("root_path", "")), is_closed=services.home.is_closed)
    text = json.dumps(found, indent=2) + "\n"
    is_yaml = request.url.path.endswith(".yaml")
    return Response(text, media_type="text/yaml" if is_yaml else "application/json")
