"""What stands before every route: who may address the server, from which pages, with which key, how often, and how many at once.

One ASGI layer. It refuses before a body is read, puts the caller into the scope, counts requests in work, and sets the headers that
every answer carries. An outer layer (logs, request ids) should stand around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from ipaddress import ip_address
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tariff_service.api.callers import KEY, LOCAL
from tariff_service.api.headers import STATED, Cors, Raw, secured
from tariff_service.api.keyring import KeyRing
from tariff_service.api.limits import Bucket, Failures, LimitedCaller
from tariff_service.api.page_keys import CHALLENGE, is_page, refused_page, typed_key
from tariff_service.api.problems import Refusal
from tariff_service.api.settings import Settings, is_loopback
from tariff_service.api.state import Service
from tariff_service.keys import list_keys

LIVENESS = frozenset({"/healthz", "/readyz"})  # for supervisors: no key, any Host, also while the server stops or is busy
OPEN = LIVENESS | {"/openapi.json"}  # tell nothing that is not public
OPEN_UNDER = ("/problems/", "/static/")
_ONCE = frozenset(  # two of one of these would leave open which counts
    {b"host", b"origin", b"authorization", b"x-api-key", b"idempotency-key", b"content-type", b"content-length", b"content-encoding"}
)
_OWN_NAMES = ("localhost", "127.0.0.1", "[::1]")
_MAX_HOSTS = 100  # spellings of Host that are remembered as good
_SPARE = 8  # one key may take all places but one in so many
_BEARER = b"bearer "


def service_at(scope: Scope) -> Service:
    """Return the service of the application that a request reached."""
    service: Service = scope["app"].state.service
    return service


class Guard:
    """The layer. `app.add_middleware(Guard, service_getter=service_at, settings=settings)`."""

    def __init__(self, app: ASGIApp, service_getter: Callable[[Scope], Service] = service_at, settings: Settings | None = None) -> None:
        """Take the application within, what finds the service, and the settings. Raises ValueError for an origin that is none."""
        self._app = app
        self._service = service_getter
        self._settings = found = settings or Settings()
        self._authenticated = found.authenticated
        self._direct = found.auth is None and not found.authenticated  # nobody said that whoever reaches a proxy may ask
        self._most = found.max_concurrency
        self._share = max(1, self._most - self._most // _SPARE)
        self._nobody = Bucket(1)  # counts what is in work without a key
        self._hosts = _Hosts(found)
        self._cors = Cors(found.cors_origins)
        self._failures = Failures()
        self._keys: KeyRing | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        if scope["type"] != "http":
            await self._other(scope, receive, send)
            return
        answer = _Answer(send, self._cors.others)
        try:
            await self._enter(self._service(scope), scope, receive, answer)
        except Refusal as refusal:
            if answer.begun:
                raise
            await _refuse(refusal, scope, receive, answer)
        except ClientDisconnect:
            raise
        except Exception:
            if not answer.begun:  # what stands outside knows nothing of the headers that every answer carries
                await _refuse(Refusal("internal_error", "a fault of the service"), scope, receive, answer)
            raise

    async def _enter(self, service: Service, scope: Scope, receive: Receive, answer: _Answer) -> None:
        """Check a request and hand it on. Raises Refusal."""
        seen = scope[STATED] = _watched(scope["headers"])
        alive = scope["path"] in LIVENESS
        if not alive:
            self._hosts.check(seen.get(b"host", b""))
        if b"origin" in seen:
            answer.more = self._check_origin(seen[b"origin"], seen.get(b"host", b""))
            if b"access-control-request-method" in seen and scope["method"] == "OPTIONS":
                await self._preflight(seen, answer)
                return
        elif b"sec-fetch-site" in seen:
            _check_fetch(seen)
        if alive:
            await self._app(scope, receive, answer)
            return
        if service.stopping:
            raise Refusal("stopping", "the server is stopping", headers={"Retry-After": "5"})
        if self._direct and not _PROXIED.isdisjoint(seen):
            detail = "the request came through a proxy, and without keys this server answers its own machine alone"
            raise Refusal("host_refused", detail, fix="the operator can turn keys on, or say that none are asked for")
        scope[KEY] = LOCAL
        bucket = await self._identify(service, seen, scope, answer) if self._authenticated else None
        if service.working >= self._most:
            raise Refusal("overloaded", "too many requests are in work", headers={"Retry-After": "1"})
        if bucket is None:
            bucket = self._nobody
        elif bucket.working >= self._share:
            raise Refusal("overloaded", f"{bucket.working} requests of this key are in work", headers={"Retry-After": "1"})
        service.working += 1
        bucket.working += 1
        try:
            await self._app(scope, receive, answer)
        finally:
            service.working -= 1
            bucket.working -= 1

    async def _other(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is no request (start and stop of the server), and refuse web sockets, which a page of any origin could open."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._app(scope, receive, send)

    # ------------------------------------------------------------ pages of other origins
    def _check_origin(self, origin: bytes, host: bytes) -> tuple[Raw, ...]:
        """Return the CORS headers of the answer to a page. Raises Refusal where its origin may not ask."""
        origin = origin.lower()
        allowed = self._cors.headers_for(origin)
        if allowed is not None:
            return allowed
        # The scheme is not compared: behind a proxy that speaks TLS this server does not know its own.
        scheme, _, place = origin.partition(b"://")
        if host and place == host.lower() and scheme in {b"http", b"https"}:
            return self._cors.others
        detail = "a web page of another origin may not ask"
        raise Refusal("origin_refused", detail, fix="the operator can allow the origin with the setting cors_origins")

    async def _preflight(self, seen: Mapping[bytes, bytes], answer: _Answer) -> None:
        """Answer the question that a browser asks before a request of a page. Raises Refusal."""
        method = seen[b"access-control-request-method"].decode("latin-1")
        asked = seen.get(b"access-control-request-headers", b"").decode("latin-1")
        headers = self._cors.preflight(seen[b"origin"].lower(), method, asked)
        if headers is None:
            raise Refusal("origin_refused", "the method or a header that the page asks for is not allowed")
        await answer({"type": "http.response.start", "status": 204, "headers": headers})
        await answer({"type": "http.response.body", "body": b""})

    # ------------------------------------------------------------ keys
    async def _identify(self, service: Service, seen: Mapping[bytes, bytes], scope: Scope, answer: _Answer) -> Bucket | None:
        """Put into the scope who asks, and count the request. Return the key's share, or None where no key is needed. Raises Refusal."""
        path: str = scope["path"]
        if path in OPEN or path.startswith(OPEN_UNDER):
            scope[KEY] = None
            return None
        keys = self._keys
        if keys is None:
            keys = self._keys = KeyRing(partial(list_keys, service.store, valid=True), self._settings.rate_per_minute)
        if not keys.fresh:
            await keys.renew()
        caller = scope[KEY] = self._caller(keys, seen, scope)
        enough = caller.bucket.take()
        answer.more = (*answer.more, *caller.bucket.headers())
        if not enough:
            detail = f"the key {caller.key} may ask {caller.bucket.limit:,} times a minute, and has used up its share"
            raise Refusal("rate_limited", detail, headers={"Retry-After": str(caller.bucket.wait)})
        return caller.bucket

    def _caller(self, keys: KeyRing, seen: Mapping[bytes, bytes], scope: Scope) -> LimitedCaller:
        """Return who holds the key that a request shows. Raises Refusal."""
        asks = is_page(scope["path"]) and scope["method"] in {"GET", "HEAD"}
        text = _shown_key(seen, typed=asks)
        if not text:
            challenge = {"WWW-Authenticate": CHALLENGE if asks else "Bearer"}
            raise Refusal("unauthenticated", "this server answers only callers with a key", headers=challenge)
        caller = keys.find(text)
        if caller is not None:
            return caller
        client = scope.get("client")
        wait = self._failures.count(client[0] if client else "")
        if wait:
            raise Refusal("rate_limited", "too many wrong keys from this address", headers={"Retry-After": str(wait)})
        challenge = {"WWW-Authenticate": CHALLENGE if asks else 'Bearer error="invalid_token"'}
        raise Refusal("key_refused", "the key is unknown, expired or revoked", headers=challenge)


class _Answer:
    """What sends an answer: with the headers that every answer carries, and those of this one. It knows whether the answer has begun."""

    __slots__ = ("_send", "begun", "more")

    def __init__(self, send: Send, more: tuple[Raw, ...]) -> None:
        self._send = send
        self.more = more
        self.begun = False

    async def __call__(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            self.begun = True
            message = {**message, "headers": secured(message["headers"], self.more)}
        await self._send(message)


class _Hosts:
    """The names under which the server may be addressed.

    A page of another site can make a name of its own point to this machine (DNS rebinding): without keys the names are therefore always
    checked. With keys a page has nothing to show, and names are checked if the operator lists any.
    """

    def __init__(self, settings: Settings) -> None:
        names = {name.lower() for name in settings.allowed_hosts}
        self._open = settings.authenticated and not names
        self._addresses = not settings.authenticated and not is_loopback(settings.host)  # no name, so nothing that could be rebound
        if not settings.authenticated:
            names.update((*_OWN_NAMES, settings.host.lower()))
        self._names = frozenset(names)
        self._good: set[bytes] = set()

    def check(self, host: bytes) -> None:
        """Raises Refusal where the server is addressed by a name that is not its own."""
        if self._open or host in self._good:
            return
        name = host_name(host.decode("latin-1"))
        if name not in self._names and not (self._addresses and _is_address(name)):
            detail = "the server was addressed by a name that is not its own"
            raise Refusal("host_refused", detail, fix="the operator can allow the name with the setting allowed_hosts")
        if len(self._good) < _MAX_HOSTS:
            self._good.add(host)


def host_name(text: str) -> str:
    """Return the name in a Host header, in small letters and without its port; nothing where the text is none.

    >>> host_name("LocalHost:8000"), host_name("[::1]:80"), host_name("a.example:80@b.example")
    ('localhost', '[::1]', '')
    """
    name, mark, port = text.lower().rpartition(":")
    if not mark or (text.startswith("[") and text.endswith("]")):
        name, port = text.lower(), "0"
    bracketed = name.startswith("[") and name.endswith("]")
    inner = name[1:-1] if bracketed else name
    if not (port.isascii() and port.isdigit() and len(port) < 6) or any(sign in inner for sign in "[]@/?#\\ \t,"):  # noqa: PLR2004  as a port
        return ""
    return "" if ":" in inner and not bracketed else name


def _is_address(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


_FETCH = frozenset({b"sec-fetch-site", b"sec-fetch-mode", b"access-control-request-method", b"access-control-request-headers"})
_PROXIED = frozenset({b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"})
_WATCHED = _ONCE | _FETCH | _PROXIED
_FOREIGN = frozenset({b"cross-site", b"same-site"})


def _watched(headers: Iterable[Raw]) -> dict[bytes, bytes]:
    """Return the headers that the guard looks at. Raises Refusal where one that must stand once stands twice."""
    seen: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _WATCHED:
            if name in seen and name in _ONCE:
                shown = name.decode().title()
                raise Refusal("bad_header", f"the header {shown} stands twice", fix="send it once")
            seen[name] = value
    return seen


def _check_fetch(seen: Mapping[bytes, bytes]) -> None:
    """Refuse what a page of another site embeds (images, scripts: no Origin is sent for those). Following a link is no embedding."""
    if seen[b"sec-fetch-site"] in _FOREIGN and seen.get(b"sec-fetch-mode") != b"navigate":
        raise Refusal("origin_refused", "a web page of another site embeds this address")


def _shown_key(seen: Mapping[bytes, bytes], *, typed: bool) -> str:
    """Return the key that a request shows, or that a person typed in a browser; nothing is none. Raises Refusal where it shows two."""
    bearer = seen.get(b"authorization", b"")
    one = bearer[len(_BEARER) :].strip() if bearer[: len(_BEARER)].lower() == _BEARER else typed_key(bearer) if typed else b""
    other = seen.get(b"x-api-key", b"").strip()
    if one and other and one != other:
        raise Refusal("bad_header", "Authorization and X-API-Key show different keys", fix="send one of them")
    return (one or other).decode("latin-1")


async def _refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    name: Any = scope.get("tariff.request_id", "")
    found = refused_page(refusal) if is_page(scope["path"]) else refusal.response(name and f"urn:tariff:request:{name}")
    await found(scope, receive, send)
