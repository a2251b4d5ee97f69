"""One serving process: the socket that it listens on, how it starts, and how it stops without cutting anybody off."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import stat
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.server import Server

from tariff_engine.problems import refuse
from tariff_service.api.app import create_app, open_service
from tariff_service.api.logs import LINES, event, uvicorn_logging
from tariff_service.api.problems import Refusal
from tariff_service.api.reload import reload_rules
from tariff_service.api.settings import Settings
from tariff_service.api.wire import BoundedProtocol
from tariff_service.collector import settle

if TYPE_CHECKING:
    from tariff_service.api.state import Service

KEEP_ALIVE = 75  # seconds that a connection may idle: longer than load balancers keep theirs, so that they close first
BACKLOG = 2048
LINGER = 0.3  # seconds in which a stopping server answers 503 and closes connections after their answer, before it closes the rest
_TICK = 10  # ticks of the server a second
Ready = Callable[["Service"], Callable[[], None]]  # of an open service: what is done once it listens


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen: host and port, or the path of a Unix socket."""

    host: str
    port: int
    uds: str | None = None


class CannotListenError(Exception):
    """The address cannot be listened on; the message says why and what to do."""


def listen(place: Place) -> socket.socket:
    """Return a socket that is bound. Raises CannotListenError, and ProblemError for an address that is none."""
    return _listen_unix(place.uds) if place.uds else _listen_tcp(place)


def _listen_tcp(place: Place) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            place.host.strip("[]"), place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError, OverflowError):
        raise refuse(
            "bad_parameter", "--host", f"{place.host} is no address of this machine", "name an address such as 127.0.0.1"
        ) from None
    sock = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise CannotListenError(
            f"{place.host} port {place.port} cannot be listened on: {os.strerror(error.errno or 0)}; "
            "end the program that listens there, or name another with --port"
        ) from None
    sock.set_inheritable(True)
    return sock


def _listen_unix(path: str) -> socket.socket:
    """Listen on a path; what a server that was killed left there is taken over."""
    _make_way(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(path)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise CannotListenError(f"{path} cannot be listened on: {os.strerror(error.errno or 0) if error.errno else error}") from None
    sock.set_inheritable(True)
    return sock


def _make_way(path: str) -> None:
    """Remove a socket that nobody listens on. Raises CannotListenError where somebody does, or it is something else."""
    try:
        mode = Path(path).lstat().st_mode
    except (OSError, ValueError):
        return
    if not stat.S_ISSOCK(mode):
        raise CannotListenError(f"{path} is there and is no socket; name another path with --uds")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        try:
            other.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink()
        except OSError as error:
            raise CannotListenError(f"{path} cannot be listened on: {os.strerror(error.errno or 0)}") from None
        else:
            raise CannotListenError(f"another server listens on {path}; end it, or name another path with --uds")


def address_of(place: Place, sock: socket.socket) -> str:
    """Return where a server listens, as a reader would type it."""
    if place.uds:
        return f"unix:{place.uds}"
    host = f"[{place.host}]" if ":" in place.host and not place.host.startswith("[") else place.host
    return f"http://{host}:{sock.getsockname()[1]}"


def config_of(settings: Settings, app: Any) -> uvicorn.Config:
    """Return how uvicorn is to serve."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="auto",
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=uvicorn_logging(settings.log_level, settings.log_format),
        log_level=None,
        access_log=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        server_header=False,
        date_header=True,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=max(1, round(settings.drain)),
        timeout_worker_healthcheck=30,
    )


@dataclass(eq=False)
class Conduct:
    """How a serving process behaves towards signals. A worker of a supervisor leaves the terminal and second signals to it."""

    service: Service
    reload: Callable[[], Coroutine[Any, Any, object] | None]  # what SIGHUP begins; None where there is nothing to do
    worker: bool = False
    parent: int | None = None  # the process without which a worker has no right to live
    each_second: Callable[[], None] = lambda: None
    on_start: Callable[[], None] = lambda: None
    tidy: Callable[[], None] = lambda: None  # before the end that a second signal brings at once
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def begin_reload(self) -> None:
        """Let a reload go on beside the requests."""
        work = self.reload()
        if work is not None:
            task = asyncio.ensure_future(_told(work))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def cancel(self) -> None:
        """Give up what goes on beside the requests."""
        for task in tuple(self._tasks):
            task.cancel()


async def _told(work: Coroutine[Any, Any, object]) -> None:
    """Do work that nobody waits for; the log tells where it fails."""
    try:
        await work
    except Refusal as refusal:
        event("reload", "warning", problem=refusal.code)
    except Exception as error:  # noqa: BLE001  the service goes on whatever a reload does
        event("reload", "error", error=error)


class GracefulServer(Server):
    """A server that ends with exit code 0 when it is asked to, and reloads the rulebook on SIGHUP."""

    def __init__(self, config: uvicorn.Config, conduct: Conduct) -> None:
        """Take the configuration and the conduct."""
        super().__init__(config)
        self.conduct = conduct
        self._asked = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            settle()
            self.conduct.on_start()

    async def on_tick(self, counter: int) -> bool:
        """Do what is done every second; end a worker that lost its supervisor."""
        if counter % _TICK == 0:
            self.conduct.each_second()
            if self.conduct.parent is not None and os.getppid() != self.conduct.parent:
                self._stop()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what is in work. For a moment callers are still told that the server stops, rather than met by a closed door."""
        self.conduct.cancel()
        await asyncio.sleep(LINGER)
        await super().shutdown(sockets)
        self.conduct.each_second()

    def _stop(self) -> None:
        self.conduct.service.stopping = True  # /readyz says no from now on
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals; the exit code is the program's own and not that of the signal."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handlers: dict[int, Any] = {signal.SIGTERM: self._on_stop, signal.SIGINT: signal.SIG_IGN if self.conduct.worker else self._on_stop}
        if hasattr(signal, "SIGHUP"):
            handlers[signal.SIGHUP] = self._on_reload
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_stop(self, number: int, _frame: FrameType | None) -> None:
        self._asked += 1
        if self._asked > 1 and not self.conduct.worker:
            self.conduct.tidy()
            LINES.flush()
            os._exit(128 + number)  # at once, as asked; whatever was acknowledged is on disk
        self._stop()

    def _on_reload(self, _number: int, _frame: FrameType | None) -> None:
        if self._loop is not None and not self.should_exit:
            self._loop.call_soon_threadsafe(self._reload)

    def _reload(self) -> None:
        if not self.should_exit:
            self.conduct.begin_reload()


def serve_one(settings: Settings, sock: socket.socket, ready: Ready, uds: str | None = None) -> bool:
    """Serve in this process until a signal ends it.

    Raises ProblemError, RulebookError and StoreError before it listens.
    """
    service = open_service(settings)

    def tidy() -> None:
        remove_socket(uds)
        shutil.rmtree(service.rulebooks.current.folder, ignore_errors=True)

    conduct = Conduct(service, reload=lambda: reload_rules(service), on_start=ready(service), tidy=tidy)
    server = GracefulServer(config_of(settings, create_app(settings, service)), conduct)
    try:
        server.run([sock])
    finally:
        remove_socket(uds)
    return True


def remove_socket(path: str | None) -> None:
    """Remove a Unix socket that nobody listens on any more."""
    if path:
        with contextlib.suppress(OSError):
            Path(path).unlink()
