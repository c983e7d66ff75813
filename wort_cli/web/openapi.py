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
from wort_cli.web.openapi_paths import described_paths
from wort_cli.web.openapi_schemas import SCHEMAS, Schema
from wort_cli.web.reading import unguarded


@cache
def description(root: str) -> Schema:
    """Return the description of the interface below a root path."""
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "wort",
            "version": wort_cli.__version__,
            "description": "Signatures of sequencing runs and assemblies",
        },
        "servers": [{"url": root or "/"}],
        "tags": [{"name": group.name, "description": group.about} for group in GROUPS],
        "paths": with_examples(described_paths()),
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
    text = json.dumps(description(str(request.scope.get("root_path", ""))), indent=2) + "\n"
    is_yaml = request.url.path.endswith(".yaml")
    return Response(text, media_type="text/yaml" if is_yaml else "application/json")
