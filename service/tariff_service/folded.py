"""Write folded answers: what the verdicts on a line share with those on other lines is written once, and joined with the line's own."""

from __future__ import annotations

from typing import Any

import orjson

from tariff_engine.explain import Forms, Verdicts
from tariff_service.output import as_text, encode


def encode_folded(answer: dict[str, Any]) -> bytes:
    """Return a folded answer as JSON: the bytes of `encode` for the same answer not folded."""
    try:
        return orjson.dumps(answer, default=_joined, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:  # what needs more than orjson, `encode` knows
        lines = [{**line, "programs": list(line["programs"])} if "programs" in line else line for line in answer["lines"]]
        return encode({**answer, "lines": lines})


def _joined(value: object) -> Any:
    """Return the verdicts on a line as JSON, or their rows where somebody may have changed them; anything else as `encode` does."""
    if not isinstance(value, Verdicts):
        return as_text(value)
    if value.open:
        return value.rows
    pieces: list[bytes] = (value.forms.written or _written(value.forms)).copy()
    for place, row in value.anew:
        pieces[place] = orjson.dumps(row)
    for place, amount in value.losses:
        pieces[place] = b'%b,"would_be":"%b"}' % (pieces[place][:-1], amount.encode())
    return orjson.Fragment(b"[%b]" % b",".join(pieces))


def _written(forms: Forms) -> list[bytes]:
    """Return each of the shared verdicts as JSON."""
    forms.written = found = [orjson.dumps(row) for row in forms.rows]
    return found
