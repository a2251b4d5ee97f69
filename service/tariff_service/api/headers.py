"""Headers that protect those who read an answer in a browser, ready as bytes; and which web pages may ask (CORS).

A caller shows a key in a header, never a cookie: no answer allows credentials, and none names a wildcard.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from starlette.requests import HTTPConnection

STATED = "tariff.headers"  # where the headers of a request that the guard looked at stand in an ASGI scope, by name; each stands once
Raw = tuple[bytes, bytes]

_ALWAYS: tuple[Raw, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_NO_STORE: Raw = (b"cache-control", b"no-store")
_DATA_POLICY: Raw = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_PAGE_POLICY: Raw = (
    b"content-security-policy",
    b"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
)
_PERMISSIONS: Raw = (
    b"permissions-policy",
    b"camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
)
_OPENER: Raw = (b"cross-origin-opener-policy", b"same-origin")

# By whether the answer is a page and whether the route set Cache-Control.
_SETS: dict[tuple[bool, bool], tuple[Raw, ...]] = {
    (page, kept): (
        *_ALWAYS,
        *((_PAGE_POLICY, _PERMISSIONS, _OPENER) if page else (_DATA_POLICY,)),
        *(() if kept else (_NO_STORE,)),
    )
    for page in (False, True)
    for kept in (False, True)
}

METHODS = frozenset({"GET", "HEAD", "POST"})
REQUEST_HEADERS = frozenset({"authorization", "content-type", "idempotency-key", "if-none-match", "x-api-key", "x-request-id"})
_EXPOSED = (
    b"ETag, Idempotent-Replayed, Link, Location, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id"
)
_PREFLIGHT_AGE = b"600"
VARY: Raw = (b"vary", b"Origin")


def stated(request: HTTPConnection, name: bytes, otherwise: bytes = b"") -> str:
    """Return a header of a request, one of those that may stand once; `otherwise` where it does not stand.

    Routes may stand in an application without the guard: the headers are looked through here then.
    """
    seen = request.scope.get(STATED)
    found: bytes = (dict(request.scope["headers"]) if seen is None else seen).get(name, otherwise)
    return found.decode("latin-1")


def secured(headers: Iterable[Raw], more: Sequence[Raw] = ()) -> list[Raw]:
    """Return the headers of an answer with those that every answer carries, and `more`. What a route set stays."""
    found = list(headers)
    page = kept = own_policy = False
    for name, value in found:
        if name == b"content-type":
            page = value.startswith(b"text/html")
        elif name == b"cache-control":
            kept = True
        elif name == b"content-security-policy":
            own_policy = True
    chosen = _SETS[page, kept]
    if own_policy:
        found.extend(one for one in chosen if one[0] != b"content-security-policy")
    else:
        found.extend(chosen)
    found.extend(more)
    return found


class Cors:
    """Which origins may ask, as the operator listed them: exact, without wildcards."""

    def __init__(self, origins: Sequence[str]) -> None:
        """Take origins such as https://desk.example. Raises ValueError where one is no origin."""
        for origin in origins:
            scheme, mark, rest = origin.partition("://")
            if scheme not in {"http", "https"} or not mark or not rest or any(sign in rest for sign in "/*?#@ ") or not rest.isascii():
                message = (
                    f"{origin[:80]!r} is no origin: write a scheme, a host and, where it is another, a port, such as https://desk.example"
                )
                raise ValueError(message)
        self._allowed: dict[bytes, tuple[Raw, ...]] = {
            origin.lower().encode(): (
                (b"access-control-allow-origin", origin.lower().encode()),
                (b"access-control-expose-headers", _EXPOSED),
                VARY,
            )
            for origin in origins
        }
        self.others: tuple[Raw, ...] = (VARY,) if self._allowed else ()  # on answers to everybody else, for caches

    def headers_for(self, origin: bytes) -> tuple[Raw, ...] | None:
        """Return what an answer to a page of the origin carries, or None where the origin may not ask."""
        return self._allowed.get(origin)

    def preflight(self, origin: bytes, method: str, headers: str) -> list[Raw] | None:
        """Return what the answer to a preflight carries besides `headers_for`, or None: what it asks for is not allowed."""
        if origin not in self._allowed or method not in METHODS:
            return None
        if any(name.strip().lower() not in REQUEST_HEADERS for name in headers.split(",") if name.strip()):
            return None
        return [
            (b"access-control-allow-methods", ", ".join(sorted(METHODS)).encode()),
            (b"access-control-allow-headers", ", ".join(sorted(REQUEST_HEADERS)).encode()),
            (b"access-control-max-age", _PREFLIGHT_AGE),
            (b"vary", b"Access-Control-Request-Method, Access-Control-Request-Headers"),
        ]
