"""Cut the values of personal facts out of a request, and put them back, byte for byte.

A fact counts as personal by its key, at the top of the request or in one of its `lines`, however the key is escaped or written in
capitals. What is cut is the whole JSON value, so that whoever holds the rest learns the place and nothing more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from json.decoder import WHITESPACE, scanstring  # type: ignore[attr-defined]  # not in the stubs, in Python since 3.0
from typing import Any

from tariff_service.store.faults import DraftError

REDACTED = b'"[redacted]"'
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Cut:
    """A request in two: the `rest`, and `parts` with the offsets in the rest (bytes) at which they stood."""

    rest: bytes
    places: tuple[int, ...] = ()
    parts: tuple[bytes, ...] = ()


def cut(request: bytes, personal: frozenset[str]) -> Cut:
    """Cut the values of personal facts out of a request.

    Raises DraftError if the request may name such a fact and is not JSON: then nobody knows what is personal in it.
    """
    if not personal or not _may_name(request, personal):
        return Cut(request)
    try:
        text = request.decode()
        spans = [(start, end) for start, end in _find(text, personal) if end > start]
    except (ValueError, IndexError, RecursionError) as error:  # StopIteration never leaves _value
        raise DraftError(f"the request is no JSON, so that personal facts in it cannot be told: {error}") from None
    if not text.isascii():
        spans = list(_in_bytes(text, spans))
    rest, places, parts, done, removed = [], [], [], 0, 0
    for start, end in spans:
        rest.append(request[done:start])
        places.append(start - removed)
        parts.append(request[start:end])
        removed += end - start
        done = end
    rest.append(request[done:])
    return Cut(b"".join(rest), tuple(places), tuple(parts))


def splice(rest: bytes, places: Sequence[int], parts: Sequence[bytes] | None) -> bytes:
    """Put the parts back where they stood; without parts the redaction mark stands in each place."""
    if not places:
        return rest
    found: list[bytes] = []
    done = 0
    for number, place in enumerate(places):
        found += (rest[done:place], REDACTED if parts is None else parts[number])
        done = place
    found.append(rest[done:])
    return b"".join(found)


def _may_name(request: bytes, personal: frozenset[str]) -> bool:
    r"""Whether a personal name may stand in the request: as it is, or escaped, which for letters takes \u."""
    if b"\\u" in request:
        return True
    lowered = request.lower()
    return any(name.lower().encode() in lowered for name in personal)


def _find(text: str, personal: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Yield the spans of personal values, in characters."""
    names = frozenset(name.lower() for name in personal)
    start = _skip(text, 1 if text.startswith(_BOM) else 0)
    if _skip(text, _value(text, start)) != len(text):
        raise ValueError("more than one value")
    if text[start] != "{":
        return
    for key, first, last in _members(text, start):
        if key in names:
            yield first, last
        elif key == "lines" and text[first] == "[":
            for item in _items(text, first):
                if text[item] == "{":
                    for name, begin, end in _members(text, item):
                        if name in names:
                            yield begin, end


def _members(text: str, place: int) -> Iterator[tuple[str, int, int]]:
    """Yield key (lower case, no spaces around it) and span of each member of the object that begins at a place."""
    place = _skip(text, place + 1)
    if text[place] == "}":
        return
    while True:
        if text[place] != '"':
            raise ValueError(f"no key at character {place}")
        key, place = scanstring(text, place + 1, True)  # noqa: FBT003  a function in C
        place = _skip(text, place)
        if text[place] != ":":
            raise ValueError(f"no colon at character {place}")
        first = _skip(text, place + 1)
        last = _value(text, first)
        yield key.strip().lower(), first, last
        place = _skip(text, last)
        if text[place] == "}":
            return
        if text[place] != ",":
            raise ValueError(f"no comma at character {place}")
        place = _skip(text, place + 1)


def _items(text: str, place: int) -> Iterator[int]:
    """Yield where each item of the list that begins at a place begins."""
    place = _skip(text, place + 1)
    while text[place] != "]":
        yield place
        place = _skip(text, _value(text, place))
        if text[place] == ",":
            place = _skip(text, place + 1)


def _skip(text: str, place: int) -> int:
    found = WHITESPACE.match(text, place)
    return place if found is None else int(found.end())


def _value(text: str, place: int) -> int:
    """Return where the value that begins at a place ends."""
    return _DECODER.raw_decode(text, place)[1]


def _nothing(_: object) -> Any:
    return None


_DECODER = json.JSONDecoder(parse_float=_nothing, parse_int=_nothing, parse_constant=_nothing, object_pairs_hook=_nothing)


def _in_bytes(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Turn spans in characters into spans in bytes of UTF-8."""
    seen = size = 0
    for start, end in spans:
        first = size + len(text[seen:start].encode())
        size = first + len(text[start:end].encode())
        seen = end
        yield first, size
