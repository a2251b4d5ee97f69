"""A load of clients that keep what was acknowledged to them."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2 as httpx

LINES: tuple[dict[str, Any], ...] = (
    {"hts": "7318.15.20.61", "origin": "CN", "entry_date": "2025-09-10", "mode": "ocean"},
    {"hts": "6403.99.60.15", "origin": "VN", "entry_date": "2025-09-10", "mode": "ocean", "consignee": "Jane Roe"},
    {"hts": "8703.23.01.90", "origin": "DE", "entry_date": "2025-10-01", "mode": "ocean"},
    {"hts": "2709.00.20.90", "origin": "CA", "entry_date": "2025-03-10", "mode": "truck"},
)


@dataclass
class Acknowledged:
    """What a client got: the record, the bytes of the answer (hashed), the Idempotency-Key it sent."""

    record: str
    answer: str
    key: str


@dataclass
class Load:
    """Some clients, each asking as soon as it was answered, until told to stop. `unanswered` are the keys of requests without an answer."""

    url: str
    clients: int = 6
    seed: int = 0
    acknowledged: list[Acknowledged] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Begin."""
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(self.clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, when every client has its last answer or knows that none comes."""
        self._stop.set()
        for thread in self._threads:
            thread.join(90)

    def wait(self, count: int, limit: float = 90.0) -> None:
        """Wait until so many requests were acknowledged. Raises AssertionError after `limit` seconds."""
        end = time.monotonic() + limit
        while len(self.acknowledged) < count:
            assert time.monotonic() < end, f"{len(self.acknowledged)} acknowledged, {self.refused[:3]}"
            time.sleep(0.002)

    def _ask(self, number: int) -> None:
        rng = random.Random(f"{self.seed}-{number}")
        with httpx.Client(base_url=self.url, timeout=60, trust_env=False) as client:
            count = 0
            while not self._stop.is_set():
                count += 1
                key = f"{self.seed}-{number}-{count}"
                line = {**rng.choice(LINES), "value": rng.randrange(1, 1_000_000)}
                try:
                    response = client.post("/v1/assessments", json=line, headers={"idempotency-key": key})
                except httpx.TransportError:
                    self.unanswered.append(key)
                    if self._stop.wait(0.01):
                        return
                    continue
                if response.status_code in {200, 201}:
                    place = response.headers["location"].rpartition("/")[2]
                    self.acknowledged.append(Acknowledged(place, hashlib.sha256(response.content).hexdigest(), key))
                else:
                    self.refused.append((response.status_code, response.json()["code"]))
