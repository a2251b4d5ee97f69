"""How often: a token bucket for each key, and one for each address that shows wrong keys. One thread, the loop's, uses them.

A bucket holds a minute's share and fills evenly. Buckets of keys stand beside the keys, so there are never more than keys; buckets of
addresses are bounded, the one that failed longest ago goes first. Limits count per worker process.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

from tariff_service.api.callers import Caller

FAILURES_PER_MINUTE = 20  # wrong keys that one address may show
MAX_ADDRESSES = 10_000
_MINUTE = 60.0
_NETWORK = 64  # bits of an IPv6 address that name a network: a client chooses the others as it likes


class Bucket:
    """The share of a key: a token bucket, and how many of its requests are in work. `limit` tokens a minute; a full bucket holds a minute's share."""

    __slots__ = ("_at", "_clock", "_tokens", "header", "limit", "working")

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Make a full bucket."""
        self.limit = limit
        self.working = 0  # requests in work
        self.header = (b"x-ratelimit-limit", b"%d" % limit)
        self._clock = clock
        self._tokens = float(limit)
        self._at = clock()

    def take(self, count: int = 1) -> bool:
        """Take tokens, if so many are there."""
        now = self._clock()
        tokens = self._tokens + (now - self._at) * self.limit / _MINUTE
        self._at = now
        self._tokens = tokens = min(tokens, self.limit)
        if tokens < count:
            return False
        self._tokens = tokens - count
        return True

    def owe(self, count: int) -> float:
        """Take tokens, on credit where need be. Return how many seconds it takes until the debt is paid; 0.0 is none."""
        self.take(0)
        self._tokens -= count
        return max(0.0, -self._tokens * _MINUTE / self.limit)

    @property
    def remaining(self) -> int:
        """Whole tokens that are left."""
        return max(0, math.floor(self._tokens))

    @property
    def wait(self) -> int:
        """Whole seconds until there is a token again, at least one."""
        return max(1, math.ceil((1 - self._tokens) * _MINUTE / self.limit))

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return what an answer says of the limit: tokens a minute, tokens left, seconds until the bucket is full."""
        tokens = self._tokens
        full = math.ceil((self.limit - tokens) * _MINUTE / self.limit)
        return [self.header, (b"x-ratelimit-remaining", b"%d" % max(0, math.floor(tokens))), (b"x-ratelimit-reset", b"%d" % full)]


@dataclass(frozen=True, slots=True)
class LimitedCaller(Caller):
    """A caller with a key, and what is left of its share."""

    bucket: Bucket = field(kw_only=True, compare=False, repr=False)


def charge(caller: Caller, count: int) -> float:
    """Count rows of a batch against the share of the key that sent them.

    Return the seconds that the batch must pause so that the key keeps to its rate; 0.0 where nothing is owed, and for callers without a
    limit. Rows are slowed down and never refused: an answer that has begun is not cut off for its rate. What is owed delays the next
    requests of the key.
    """
    return caller.bucket.owe(count) if isinstance(caller, LimitedCaller) else 0.0


class Failures:
    """Wrong keys by address. A right key passes from any address, so nobody can lock out others behind the same proxy."""

    def __init__(self, limit: int = FAILURES_PER_MINUTE, most: int = MAX_ADDRESSES, clock: Callable[[], float] = time.monotonic) -> None:
        """Take how many failures a minute an address has, and how many addresses are remembered."""
        self._limit = limit
        self._most = most
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}  # oldest failure first

    def __len__(self) -> int:
        """Return how many addresses are remembered."""
        return len(self._buckets)

    def count(self, address: str) -> int:
        """Count a failure. Return 0 while the address has a share left, else the seconds until it has."""
        name = network_of(address)
        bucket = self._buckets.pop(name, None) or Bucket(self._limit, self._clock)
        self._buckets[name] = bucket
        if len(self._buckets) > self._most:
            del self._buckets[next(iter(self._buckets))]
        return 0 if bucket.take() else bucket.wait


def network_of(address: str) -> str:
    """Return what stands for a client: an IPv4 address, or the network of an IPv6 one.

    >>> network_of("2001:db8:0:7:aaaa::1")
    '2001:db8:0:7::'
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:100]
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(IPv6Address(int(found) >> _NETWORK << _NETWORK))
