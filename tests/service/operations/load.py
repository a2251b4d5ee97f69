"""Callers that ask one server at the same time, each on a connection of its own, until they are told to stop or the server is gone."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass(eq=False)
class Load:
    """What the callers saw. `cut` are answers of which only a part came; `unheard` counts requests that got no byte back."""

    url: str
    body: bytes
    path: str = "/v1/assessments"
    statuses: dict[int, int] = field(default_factory=dict)
    answers: list[dict[str, Any]] = field(default_factory=list)
    records: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    unheard: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self) -> None:
        """Ask until told to stop, or nobody answers any more."""
        where = urlsplit(self.url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        refused = 0
        while not self.stop.is_set() and refused < 3:
            try:
                connection.request("POST", self.path, self.body, {"Content-Type": "application/json"})
                response = connection.getresponse()
            except (OSError, http.client.HTTPException):
                connection.close()
                refused += 1
                with self._lock:
                    self.unheard += 1
                continue
            try:
                content = response.read()
                answer = json.loads(content)
            except (OSError, http.client.HTTPException, ValueError) as error:
                with self._lock:
                    self.cut.append(repr(error))
                connection.close()
                continue
            refused = 0
            with self._lock:
                self.statuses[response.status] = self.statuses.get(response.status, 0) + 1
                self.answers.append(answer)
                if response.status == 201:
                    self.records.append((response.getheader("Location") or "").rpartition("/")[2])
        connection.close()


@contextmanager
def under_load(url: str, body: Mapping[str, Any], callers: int = 6) -> Iterator[Load]:
    """Ask from several threads while the block runs; at its end they are told to stop, and waited for."""
    load = Load(url, json.dumps(body).encode())
    threads = [threading.Thread(target=load.ask, daemon=True) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.stop.set()
        for thread in threads:
            thread.join(30)
