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
    """Return each of the shared verdicts as JSON. Verdicts of equal words are one text, whatever line they are on.

    Most programs say the same of most lines: their few texts stay in the processor's cache, which a copy for each kind of line would empty.
    """
    if len(_TEXTS) > _MOST:
        _TEXTS.clear()
    forms.written = found = [_TEXTS.setdefault(text, text) for text in map(orjson.dumps, forms.rows)]
    return found


_TEXTS: dict[bytes, bytes] = {}
_MOST = 50_000
