"""Ids of records: texts that sort by time, and that nobody can guess."""

from __future__ import annotations

import os
import time
from typing import Final

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS: Final = tuple(first + second for first in _CROCKFORD for second in _CROCKFORD)  # ten bits at once
_CHANCE: Final = 10  # bytes of chance in an id
_DRAWN: Final = 64  # ids whose chance is drawn at once
_drawn: list[bytes] = []  # chance that no id has yet; each piece is taken once, by whichever thread


def _forget() -> None:
    _drawn.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)  # else parent and child would give the same ids


def _chance() -> bytes:
    """Return chance that was never returned before.

    Asking the system for it lets go of the interpreter, which a busy writer takes: a request that asked for itself alone would wait for it.
    """
    try:
        return _drawn.pop()
    except IndexError:
        found = os.urandom(_CHANCE * _DRAWN)
        _drawn.extend(found[place : place + _CHANCE] for place in range(_CHANCE, len(found), _CHANCE))
        return found[:_CHANCE]


def new_id(prefix: str = "asm_") -> str:
    """Return an id: the prefix, 10 characters of time (milliseconds) and 16 of chance, in Crockford's base 32, so that ids sort by time."""
    at, chance, two = time.time_ns() // 1_000_000, int.from_bytes(_chance()), _PAIRS
    return (
        f"{prefix}{two[at >> 40 & 1023]}{two[at >> 30 & 1023]}{two[at >> 20 & 1023]}{two[at >> 10 & 1023]}{two[at & 1023]}"
        f"{two[chance >> 70]}{two[chance >> 60 & 1023]}{two[chance >> 50 & 1023]}{two[chance >> 40 & 1023]}"
        f"{two[chance >> 30 & 1023]}{two[chance >> 20 & 1023]}{two[chance >> 10 & 1023]}{two[chance & 1023]}"
    )
