"""The keys of a running server: a copy in memory, so that no request waits for the database, and never an old one.

The copy is renewed in a thread, at most every two seconds and only while somebody asks; a request that finds it older than four seconds
waits for the renewal. A revoked key therefore ends within five seconds. While the database does not answer, the last copy serves for a
minute, counted from when it was first missed; after that nobody can be told from anybody, and requests are refused until it is back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from tariff_service.api.limits import Bucket, LimitedCaller
from tariff_service.api.problems import Refusal
from tariff_service.keys import ApiKey, recognise
from tariff_service.store.records import now, stamp

RENEW = 2.0  # seconds after which the copy is renewed
TOO_OLD = 4.0  # seconds after which a request waits for the renewal
PATIENCE = 1.0  # seconds that it waits
OUTAGE = 60.0  # seconds that the last copy serves while the database does not answer
_STAMPS = 0.25  # seconds for which the time of day is not asked for again
_LOG = logging.getLogger("tariff.keys")


class KeyRing:
    """Who holds which key. The loop's thread alone calls it."""

    def __init__(self, load: Callable[[], Iterable[ApiKey]], rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Take what loads the keys (it runs in a thread), the rate of keys that name none, and a clock in seconds."""
        self._load = load
        self._rate = rate
        self._clock = clock
        self._keys: dict[str, ApiKey] = {}
        self._callers: dict[str, LimitedCaller] = {}
        self._as_of: float | None = None  # when the load that gave the copy began
        self._asked = 0.0  # when the last load began
        self._missed: float | None = None  # when the first load began that gave nothing since one gave something
        self._stamped, self._stamp = -_STAMPS, ""  # the time of day, and when it was asked for
        self._loading: Future[Iterable[ApiKey]] | None = None
        self._thread = ThreadPoolExecutor(1, "tariff-keys")

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    @property
    def fresh(self) -> bool:
        """Whether the copy can be used without `renew`."""
        return self._as_of is not None and self._clock() - self._as_of < RENEW

    def find(self, text: str) -> LimitedCaller | None:
        """Return who holds a key, or None where the text is no valid key."""
        moment = self._clock()
        if moment >= self._stamped + _STAMPS:
            self._stamped, self._stamp = moment, stamp(now())
        key = recognise(self._keys, text, self._stamp)
        return None if key is None else self._callers[key.id]

    async def renew(self) -> None:
        """See that the copy is new enough. Raises Refusal (keys_unavailable) once the database has not answered for a minute."""
        self._take()
        now = self._clock()
        due = self._as_of is None or now - self._as_of >= RENEW
        if self._loading is None and due and (self._missed is None or now - self._asked >= RENEW):
            self._asked = now
            self._loading = self._thread.submit(self._load)
        loading = self._loading
        if loading is not None and (self._as_of is None or now - self._as_of >= TOO_OLD):
            left = PATIENCE - (now - self._asked)
            if left > 0:
                waiting = asyncio.wrap_future(loading)
                waiting.add_done_callback(_seen)
                await asyncio.wait([waiting], timeout=left)
            self._take()
            if self._loading is not None and self._missed is None and self._clock() - self._asked >= PATIENCE:
                self._missed = self._asked
        if self._as_of is None or (self._missed is not None and self._clock() - self._missed > OUTAGE):
            raise Refusal("keys_unavailable", "the keys cannot be read from the audit store", headers={"Retry-After": "5"})

    def _take(self) -> None:
        """Take over what was loaded."""
        loading = self._loading
        if loading is None or not loading.done():
            return
        self._loading = None
        error = None if loading.cancelled() else loading.exception()
        if loading.cancelled() or error is not None:
            if self._missed is None:
                self._missed = self._asked
                _LOG.warning("the keys cannot be read: %s", getattr(error, "code", type(error).__name__))
            return
        found = {key.id: key for key in loading.result()}
        callers: dict[str, LimitedCaller] = {}
        for key in found.values():
            known = self._callers.get(key.id)
            limit = key.rate_per_minute or self._rate
            if known is not None and known.bucket.limit == limit:  # name and scopes of a key never change
                callers[key.id] = known
            else:
                callers[key.id] = LimitedCaller(key.caller, key.scopes, key.id, bucket=Bucket(limit, self._clock))
        self._keys, self._callers, self._as_of, self._missed = found, callers, self._asked, None


def _seen(waiting: asyncio.Future[Iterable[ApiKey]]) -> None:
    """Take note of an error that `_take` looks at, so that the loop does not complain that nobody did."""
    if not waiting.cancelled():
        waiting.exception()
