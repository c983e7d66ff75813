"""Errors as pages, for people: the same status and sentence as in the problem document that programs get."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from wort_cli.web.errors import Problem
from wort_cli.web.pages.rendering import render

FOR_PROGRAMS = ("/v1", "/wort-")
"""The prefixes of paths of the interface; its clients get problem documents, whatever they accept."""
HEADINGS = {404: "This is not here", 400: "That cannot be answered", 413: "That is too much"}


def wants_page(request: Request) -> bool:
    """Return whether an error is shown to a person."""
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    asked = request.query_params.get("format", "")
    return not asked and "text/html" in request.headers.get("accept", "") and not path.startswith(FOR_PROGRAMS)


def error_page(request: Request, problem: Problem) -> Response:
    """Return a refusal as a page."""
    heading = HEADINGS.get(problem.status, HTTPStatus(problem.status).phrase)
    detail = problem.detail[:1].upper() + problem.detail[1:].rstrip(".") + "."
    response = render(
        request, "error.html", problem.status, page=None, heading=heading, detail=detail, hint=problem.hint,
        code=problem.status,
    )  # fmt: skip
    response.headers.update(problem.headers)
    return response
