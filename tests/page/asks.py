"""Lines as a browser sends them: the fields of a form for the facts that the API takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

CABLE = {"hts": "8544.42.90.90", "origin": "CN", "value": "10000", "entry_date": "2025-08-15", "mode": "ocean"}


def fields(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return facts as the fields of a form."""
    found = []
    for name, value in facts.items():
        if isinstance(value, dict):
            found += [(f"{name}.{key}", str(one)) for key, one in value.items()]
        elif isinstance(value, bool):
            found.append((name, "true" if value else "false"))
        elif isinstance(value, list):
            found.append((name, json.dumps(value) if value and isinstance(value[0], dict) else ", ".join(map(str, value))))
        elif value is not None:
            found.append((name, str(value)))
    return found


def permalink(facts: Mapping[str, Any], view: str = "", **more: str) -> str:
    """Return the permalink of a line, or one view of it."""
    pairs = [pair for pair in fields(facts) if pair[0] != "hts"] + list(more.items())
    return f"/line/{quote(str(facts['hts']))}{f'/{view}' if view else ''}?{urlencode(pairs)}"
