"""What every page shares: who may see it, what stands around it, and a refusal as a page that a person can act on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tariff_engine.problems import LawConflictError, ProblemError
from tariff_service.api.callers import caller_of
from tariff_service.api.page_keys import CHALLENGE
from tariff_service.api.problems import Refusal, catalogue
from tariff_service.api.refusing import refusal_for
from tariff_service.api.state import Served, service_of
from tariff_service.web.rendering import render

Page = Callable[..., Awaitable[Response]]
_UNAUTHORIZED = 401


def page(scope: str) -> Callable[[Page], Page]:
    """Let in whoever has the scope, and answer a refusal with a page."""

    def around(route: Page) -> Page:
        @wraps(route)
        async def answer(request: Request, **parts: Any) -> Response:
            try:
                caller_of(request, scope)
                return await route(request, **parts)
            except (Refusal, ProblemError, LawConflictError) as error:
                return refused(request, refusal_for(error))

        return answer

    return around


def refused(request: Request, refusal: Refusal) -> Response:
    """Return a refusal as a page, with the status that the API would give."""
    errors = [error for error in refusal.errors if error.get("detail")]
    title = catalogue()[refusal.code].title
    found = render(
        request,
        "refused.html",
        refusal.status,
        title=title,
        code=refusal.code,
        detail=refusal.detail,
        errors=errors,
        rulebook=around(request),
    )
    found.headers.update(refusal.headers)
    if refusal.status == _UNAUTHORIZED:
        found.headers["WWW-Authenticate"] = CHALLENGE
    return found


def around(request: Request) -> dict[str, str]:
    """Return what the foot of each page says of the rulebook."""
    return book_words(service_of(request).rulebooks.current)


def book_words(served: Served) -> dict[str, str]:
    """Return id, edition and horizon of a rulebook."""
    law = served.latest.law
    return {"id": law.id, "edition": law.edition, "horizon": law.horizon.isoformat(), "starts": law.start.isoformat()}
