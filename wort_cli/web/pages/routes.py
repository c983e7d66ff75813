"""The routes of the pages: each reads the request, has its page made, and writes it as HTML or as JSON."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import parse_qs, quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from wort_cli.errors import UsageError
from wort_cli.ledger.jobs import MAX_ID
from wort_cli.model.accession import Name, RecordAccession, parse_name
from wort_cli.model.profile import Profile
from wort_cli.web.errors import Problem
from wort_cli.web.openapi import description
from wort_cli.web.pages import actions, sign_in, submit_page
from wort_cli.web.pages.about_page import AboutPage
from wort_cli.web.pages.api_page import api_page, subject_of
from wort_cli.web.pages.badge import badge_of
from wort_cli.web.pages.catalog_page import CatalogQuery, catalog_page
from wort_cli.web.pages.compare_page import ComparePage, compared_name
from wort_cli.web.pages.feed import feed_of
from wort_cli.web.pages.group_page import group_page, groups_page
from wort_cli.web.pages.group_table import HEADER, rows_before
from wort_cli.web.pages.home_page import home_page
from wort_cli.web.pages.lists_of_jobs import parse_before, parse_filter, queue_page
from wort_cli.web.pages.places import database_of, name_in, names_in, page_path
from wort_cli.web.pages.redirect import to
from wort_cli.web.pages.rendering import answer, base_url, render_as, wants_json
from wort_cli.web.pages.run_page import run_page
from wort_cli.web.pages.search_page import SearchPage, search_page
from wort_cli.web.pages.shared import pages_of
from wort_cli.web.pages.static_files import static_file
from wort_cli.web.pages.submission_page import submission_page
from wort_cli.web.pages.words import PROMISES
from wort_cli.web.reading import unguarded
from wort_cli.web.services import Services
from wort_cli.web.signature_files import refused_trust

MAX_LIST = 1 << 18
"""Bytes of a list that is posted."""
BADGE_SECONDS = 300
"""Seconds for which others may keep a badge."""
ROBOTS = """User-agent: *
Disallow: {root}/queue
Disallow: {root}/group/
Disallow: {root}/search
Disallow: {root}/compare
Disallow: {root}/submission/
Disallow: {root}/v1/
Disallow: {root}/wort-
"""


def routes() -> list[BaseRoute]:
    """Return the routes of the pages."""
    return [
        Route("/", home),
        Route("/search", search),
        Route("/search", posted_search, methods=["POST"]),
        Route("/search.csv", search_table),
        Route("/search.csv", posted_table, methods=["POST"]),
        Route("/view/", to_catalog),
        Route("/view", to_catalog),
        Route("/view/{database}/{id}/", run),
        Route("/view/{database}/{id}/badge.svg", badge),
        Route("/view/{database}/{id}", with_slash),
        Route("/queue", queue),
        Route("/catalog", catalog),
        Route("/groups", groups),
        Route("/group/{group:path}/jobs.csv", group_table),
        Route("/group/{group:path}/", group),
        Route("/about", about),
        Route("/about/", about),
        Route("/v1/ui/", api),
        Route("/v1/ui", to_api),
        *actions.routes(),
        *submit_page.routes(),
        Route("/submission/{key}/", submission),
        Route("/submission/{key}", to_submission),
        Route("/sign-in", sign_in.sign_in),
        Route("/sign-in", sign_in.signed_in, methods=["POST"]),
        Route("/sign-out", sign_in.sign_out, methods=["POST"]),
        Route("/compare", compare),
        Route("/feed.atom", feed),
        Route("/robots.txt", robots),
        Route("/static/{name}", static_file),
    ]


def home(request: Request) -> Response:
    """Answer with the first page."""
    pages = pages_of(request)
    return answer(request, "home.html", home_page(pages.ledger, pages.daemon()))


def named(request: Request) -> tuple[Name, Profile]:
    """Return the name in a path, and the profile that its page is about.  Raises Problem 404."""
    pages = pages_of(request)
    try:
        name = name_in(request.path_params["database"], request.path_params["id"])
        return name, pages.profile(request.query_params.get("profile", "") or pages.usual_profile(str(name)))
    except UsageError as error:
        raise Problem(404, error.sentence, reason="unknown", hint=error.hint) from None


def run(request: Request) -> Response:
    """Answer with the page of a run."""
    pages = pages_of(request)
    name, profile = named(request)
    if str(name) != request.path_params["id"]:
        return to(request, page_path(str(name)), 308)
    page = run_page(pages.ledger, name, profile, pages.spectra, pages.withheld(name))
    return answer(request, "run.html", page, 200 if page.is_known else 404)


def badge(request: Request) -> Response:
    """Answer with the badge of a run."""
    pages = pages_of(request)
    name, profile = named(request)
    headers = {"Cache-Control": f"max-age={BADGE_SECONDS}"}
    return render_as(request, "badge.svg", "image/svg+xml", headers, badge=badge_of(pages.ledger, name, profile))


def feed(request: Request) -> Response:
    """Answer with the feed of the newest signatures."""
    pages = pages_of(request)
    found = feed_of(pages.ledger, pages.withheld)
    return render_as(request, "feed.xml", "application/atom+xml", {"Cache-Control": "no-cache"}, feed=found)


def compare(request: Request) -> Response:
    """Answer with how similar two signatures are; without names, with the form for them."""
    pages, given = pages_of(request), [request.query_params.get(key, "") for key in ("a", "b")]
    if not all(given):
        return answer(request, "compare.html", ComparePage(given[0], given[1]))
    names = [compared_name(text) for text in given]
    a, b = ((name, pages.profile(pages.usual_profile(str(name)))) for name in names)
    return answer(request, "compare.html", pages.comparisons.page(pages.ledger, a, b))


def with_slash(request: Request) -> Response:
    """Redirect to the page of a run."""
    path = f"/view/{quote(request.path_params['database'])}/{quote(request.path_params['id'])}/"
    return to(request, path, 308, request.url.query)


def to_catalog(request: Request) -> Response:
    """Redirect to the catalog."""
    return to(request, "/catalog", 307)


def queue(request: Request) -> Response:
    """Answer with a page of the queue."""
    pages, given = pages_of(request), request.query_params
    page = queue_page(pages.ledger, pages.daemon(), parse_filter(given), parse_before(given.get("before", "")))
    return answer(request, "queue.html", page)


def catalog(request: Request) -> Response:
    """Answer with a page of the catalog."""
    pages, given = pages_of(request), request.query_params
    profile = pages.profile(given.get("profile", ""))
    names = pages.profile_names()
    page = catalog_page(pages.ledger, profile, names, CatalogQuery.parse(given))
    return answer(request, "catalog.html", page, levels=PROMISES)


def groups(request: Request) -> Response:
    """Answer with the page of all groups."""
    return answer(request, "groups.html", groups_page(pages_of(request).ledger))


def group(request: Request) -> Response:
    """Answer with the page of a group."""
    try:
        page = group_page(pages_of(request).ledger, request.path_params["group"])
    except UsageError as error:
        raise Problem(404, error.sentence, reason="unknown", hint=error.hint) from None
    return answer(request, "group.html", page)


def submission(request: Request) -> Response:
    """Answer with the page of a signature that was submitted."""
    services: Services = request.app.state.services
    key = request.path_params["key"]
    page = submission_page(pages_of(request).ledger, key, is_checked_here=services.intakes.has(key))
    if page is None:
        raise Problem(404, "there is no such submission", reason="unknown", hint="the address may be incomplete")
    return answer(request, "submission.html", page)


def to_submission(request: Request) -> Response:
    """Redirect to the page of a signature that was submitted."""
    return to(request, f"/submission/{quote(request.path_params['key'])}/", 308)


async def group_table(request: Request) -> Response:
    """Answer with all jobs of a group as CSV, or with those of a state or a reason."""
    pages, name = pages_of(request), request.path_params["group"]
    selected = replace(parse_filter(request.query_params), group=name)

    async def text() -> AsyncIterator[str]:
        before = MAX_ID
        yield HEADER
        while before:
            rows, before = await run_in_threadpool(rows_before, lambda: pages.ledger, selected, before)
            yield rows

    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}.csv"}
    if request.method == "HEAD":
        return Response(None, 200, headers, "text/csv")
    return StreamingResponse(text(), 200, headers, "text/csv")


def search(request: Request) -> Response:
    """Redirect to what was searched, or answer a list."""
    text = request.query_params.get("q", "")
    path = page_of(request, text.strip())
    if path and not wants_json(request):
        return to(request, path, 303)
    return list_answer(request, text)


async def posted_search(request: Request) -> Response:
    """Redirect to the answer of a short list, so that it has a URL; answer a long one."""
    text = await posted(request)
    if len(text) <= actions.LINKED:
        return to(request, "/search", 303, urlencode({"q": " ".join(text.split())}))
    return await run_in_threadpool(list_answer, request, text)


def search_table(request: Request) -> Response:
    """Answer a list with a CSV file."""
    return table(answered(request, request.query_params.get("q", "")))


async def posted_table(request: Request) -> Response:
    """Answer a list that was posted with a CSV file."""
    text = await posted(request)
    return table(await run_in_threadpool(answered, request, text))


def about(request: Request) -> Response:
    """Answer with the page that says what this is."""
    return answer(request, "about.html", AboutPage(), levels=PROMISES)


def api(request: Request) -> Response:
    """Answer with the documents of the interface."""
    pages = pages_of(request)
    described = description(request.scope.get("root_path", ""), is_closed=pages.home.is_closed)
    subject = subject_of(
        pages.ledger, refused_trust(pages.home.settings), base_url(request), is_closed=pages.home.is_closed
    )
    return answer(request, "api.html", api_page(described, subject))


@unguarded
def to_api(request: Request) -> Response:
    """Redirect to the documents of the interface."""
    return to(request, "/v1/ui/", 308)


@unguarded
def robots(request: Request) -> Response:
    """Tell crawlers to leave the pages of jobs alone, which have no end."""
    return PlainTextResponse(ROBOTS.format(root=request.scope.get("root_path", "")))


def answered(request: Request, text: str) -> SearchPage:
    """Return the answers to a list."""
    pages = pages_of(request)
    return search_page(pages.ledger, pages.profile("").name, text)


def table(page: SearchPage) -> Response:
    """Return the answers to a list as a CSV file."""
    headers = {"Content-Disposition": 'attachment; filename="runs.csv"'}
    return Response(page.csv(), 200, headers, "text/csv")


def list_answer(request: Request, text: str) -> Response:
    """Answer a list with a page; it offers to queue what is missing as a group that is named after the time."""
    group = time.strftime("list-%Y-%m-%d-%H%M")
    return answer(request, "search.html", answered(request, text), link=list_link(text), group=group)


def list_link(text: str) -> str:
    """Return the query of the URL of a list; empty if it is too long for one."""
    return urlencode({"q": " ".join(text.split())}) if len(text) <= actions.LINKED else ""


def page_of(request: Request, text: str) -> str:
    """Return the path of the page of what one searches for; empty if it is a list, or nothing that has a page."""
    names, others = names_in(text)
    if len(names) == 1 and not others:
        return page_path(str(names[0]))
    if not text or names or len(text) > 200:
        return ""
    ledger = pages_of(request).ledger
    if sum(ledger.counts.by_state(text).values()):
        return f"/group/{quote(text)}/"
    try:
        name: Name = parse_name(text)
    except UsageError:
        return ""
    known = ledger.catalog.profiles_of(name) or ledger.jobs.named(name)
    return page_path(text) if known and not RecordAccession.in_text(text) and database_of(text) else ""


async def posted(request: Request) -> str:
    """Return the list in a form.  Raises Problem if it is too long or no form."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_LIST:
            raise Problem(413, "the list is too long", reason="too-large", hint="ask for ten thousand runs at a time")
    try:
        fields = parse_qs(body.decode(), max_num_fields=5)
    except ValueError:
        raise Problem(400, "this is not a form", reason="invalid") from None
    return fields.get("q", [""])[0]
