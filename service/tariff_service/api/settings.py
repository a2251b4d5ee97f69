"""What an operator may set. `tariff serve` fills it from options and environment variables."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from tariff_service.reading import MAX_ENTRY
from tariff_service.rows import MAX_ROW


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on the address."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one server. Sizes are bytes, times are seconds."""

    store: str | None = None  # database URL or path; None is the default place of the audit store
    rules: Path | None = None  # folder of rules; None is the installed law book
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    auth: bool | None = None  # None: on beyond loopback
    allowed_hosts: tuple[str, ...] = ()  # names under which the server may be addressed; on loopback its own names are always allowed
    cors_origins: tuple[str, ...] = ()  # origins of web pages that may ask; none by default
    rate_per_minute: int = 6_000  # of a key that names no rate of its own
    max_body: int = MAX_ENTRY
    max_row: int = MAX_ROW
    max_concurrency: int = 512  # requests in work; beyond it 503
    time_limit: float = 30.0  # of one answer
    body_timeout: float = 30.0  # for the whole of a body; in a batch, until its next part
    drain: float = 20.0  # for what is in work when the server stops
    known_days: int = 6  # earlier knowledge days whose law is kept in memory
    trusted_proxies: tuple[str, ...] = ()  # addresses whose X-Forwarded-* headers count
    log_level: str = "info"
    log_format: str = "json"

    @property
    def authenticated(self) -> bool:
        """Whether callers must show a key. Behind a proxy the address says nothing about who can reach the server."""
        return not is_loopback(self.host) or bool(self.trusted_proxies) if self.auth is None else self.auth
