"""Any error as a refusal: what a route, a layer or a row raises becomes a problem with a code of the catalogue."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tariff_engine.problems import LawConflictError, Problem, ProblemError, RulebookError
from tariff_service.api.allowing import allowed_methods
from tariff_service.api.observing import REQUEST_ID
from tariff_service.api.problems import Refusal, refusal_of
from tariff_service.store.faults import StoreBusy, StoreError

_CODES = {404: "not_found", 405: "method_not_allowed", 406: "not_acceptable", 415: "unsupported_media"}
ANSWERED = (Refusal, ProblemError, RulebookError, LawConflictError, StoreBusy, StoreError, HTTPException)
"""The errors that a caller gets as a problem; any other is a fault, which the outermost layer answers and logs."""


def response_of(error: Exception, request: Request) -> Response:
    """Return an error as the response to a request."""
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        methods = allowed_methods(request.app.openapi()["paths"], request.url.path)
        error.headers = {**(error.headers or {}), **({"Allow": methods} if methods else {})}
    instance = request.scope.get(REQUEST_ID, "")
    return refusal_for(error).response(instance and f"urn:tariff:request:{instance}")


def refusal_for(error: Exception) -> Refusal:
    """Return any error as a refusal; what nobody foresaw is an internal error that tells nothing of the inside."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, ProblemError):
        return refusal_of(error.problem)
    if isinstance(error, LawConflictError):
        return refusal_of(Problem("law_conflict", "entry", str(error)))
    if isinstance(error, RulebookError):
        errors = [{"code": "rulebook_wrong", "detail": line} for line in str(error).splitlines()]
        return Refusal("rulebook_wrong", "the rulebook cannot be used", errors=errors)
    if isinstance(error, StoreBusy):
        return Refusal("overloaded", f"{error}; nothing was stored", headers={"Retry-After": "1"})
    if isinstance(error, StoreError):
        return Refusal(error.code, error.message, fix=error.fix, headers={"Retry-After": "5"})
    if isinstance(error, HTTPException):
        code = _CODES.get(error.status_code, "unprocessable")
        return Refusal(code, str(error.detail), status=error.status_code, headers=error.headers)
    return Refusal("internal_error", "a fault of the service; nothing was stored", fix="report it with the request id")
