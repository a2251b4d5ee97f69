"""A way to ask a server over HTTP: the only file to change for another system."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

import pytest

URL = os.environ.get("TARIFF_URL", "")
KEY = os.environ.get("TARIFF_KEY", "")  # where the server asks for one


class Server:
    """Asks a server. A refusal by HTTP and one inside the answer look alike: `{"problem": ...}`."""

    def entry(self, sent: Mapping[str, Any], *, known_on: str | None = None) -> dict[str, Any]:
        """Return the answer on an entry, or its problem."""
        query = "?store=false" + (f"&known_on={known_on}" if known_on else "")
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {KEY}"} if KEY else {})}
        request = urllib.request.Request(f"{URL}/v1/assessments{query}", json.dumps(sent).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                answer: dict[str, Any] = json.load(response)
        except urllib.error.HTTPError as error:
            if error.code >= 500:
                pytest.fail(f"the server failed on {sent}: {error.code} {error.read()[:500]!r}")
            return {"problem": _flat(json.load(error))}
        return answer

    def ask(self, line: Mapping[str, Any], *, known_on: str | None = None) -> dict[str, Any]:
        """Return the answer on one line, as the invariants take it."""
        answer = self.entry(line, known_on=known_on)
        if "problem" in answer:
            return answer
        (only,) = answer["lines"]
        return dict(only)


def _flat(problem: Mapping[str, Any]) -> dict[str, Any]:
    """A problem of HTTP (RFC 9457) as one of an answer: the first of its errors, with the others behind it."""
    errors = [
        {"code": one["code"], "field": one["pointer"].rpartition("/")[2] or "line", "message": one["detail"], "fix": one.get("fix", "")}
        for one in problem["errors"]
    ]
    return {**errors[0], "also": errors[1:]}


@pytest.fixture(scope="session")
def server() -> Server:
    """The server named by TARIFF_URL."""
    if not URL:
        pytest.exit("TARIFF_URL names no server: start one with `tariff serve`, and set TARIFF_URL=http://localhost:8000", returncode=2)
    return Server()
