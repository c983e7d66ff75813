"""The pages for people, made on the server."""

from starlette.routing import BaseRoute


def routes() -> list[BaseRoute]:
    """Return the routes of the pages; `app.py` adds them after those of the interface."""
    return []
