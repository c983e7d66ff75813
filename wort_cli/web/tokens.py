"""`POST /v1/auth/tokens` gives a user a token for a password; `DELETE` revokes it.

`/tokens`, the path of the first version of the earlier service, gives it as JSON.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from wort_cli.web.auth import NO_TOKEN, check_may_change, credentials, known_token, known_user, unauthorized
from wort_cli.web.errors import CompactJSON
from wort_cli.web.reading import unguarded
from wort_cli.web.services import Services


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        Route("/v1/auth/tokens", tokens, methods=["POST", "DELETE"]),
        Route("/tokens", tokens, methods=["POST", "DELETE"], name="oldest_tokens"),
    ]


@unguarded
async def tokens(request: Request) -> Response:
    """Give a token, or revoke one."""
    services: Services = request.app.state.services
    check_may_change(services)
    scheme, value = credentials(request)
    if scheme == "bearer" and request.method == "DELETE":
        token = await known_token(request, value)
        await run_in_threadpool(services.access.revoke_token, token)
        return Response(None, 204)
    if scheme != "basic":
        raise unauthorized(NO_TOKEN)
    user = await known_user(request, value)
    if request.method == "DELETE":
        await run_in_threadpool(services.access.revoke_logins, user.name)
        return Response(None, 204)
    secret = await run_in_threadpool(services.access.login, user)
    headers = {"Cache-Control": "no-store"}
    if request.url.path.endswith("/auth/tokens"):
        return PlainTextResponse(secret, headers=headers)
    return CompactJSON({"token": secret}, headers=headers)
