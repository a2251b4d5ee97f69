"""The files of chapter 98: the words for treatments (`chapter98.yaml`) and what each number prints in each column (`chapter98.csv`)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import date
from typing import Any, Final, get_args

from tariff_engine.chapter98 import Chapter98, How, Meaning, Number, Treatment
from tariff_engine.problems import ProblemError, RulebookError
from tariff_engine.rates import parse_rate

COLUMNS: Final = ("number", "from", "until", "general", "special", "column2", "limit")
_HOWS: Final[tuple[How, ...]] = get_args(How)
_OWN: Final = frozenset({"rate", "work", "retail"})  # treatments that a rate of the number's own may follow


def read_chapter98(frame: Mapping[str, Any], text: str, path: str = "chapter98.csv") -> Chapter98:
    """Read the words and the table. Raises `RulebookError` naming the line at fault."""
    meanings = {
        str(name): Meaning(item["says"], item["cite"], item.get("asks", ""), item.get("because", ""))
        for name, item in frame["treatments"].items()
    }
    numbers: dict[str, list[Number]] = {}
    rows = csv.DictReader(io.StringIO(text))
    for place, row in enumerate(rows, start=2):
        if tuple(row) != COLUMNS:
            raise RulebookError(f"{path}:1: the columns are {','.join(COLUMNS)}")
        try:
            number = _number(row)
            before = numbers.setdefault(number.number.replace(".", ""), [])
            if before and (before[-1].until is None or before[-1].until > number.starts):
                raise ValueError("from: the days of a number follow one another")  # noqa: TRY301 - joined below with the line it stands on
        except (ValueError, ProblemError) as error:
            raise RulebookError(f"{path}:{place}: {error}") from None
        before.append(number)
    return Chapter98({digits: tuple(found) for digits, found in numbers.items()}, meanings, str(frame["cite"]))


def _number(row: Mapping[str, str]) -> Number:
    starts, until = date.fromisoformat(row["from"]), date.fromisoformat(row["until"]) if row["until"] else None
    if until is not None and until <= starts:
        raise ValueError("until: the number ends after it begins")
    special = []
    for piece in filter(None, row["special"].split(";")):
        words, colon, symbols = piece.rpartition(":")
        if not colon or not symbols:
            raise ValueError(f"special: {piece!r}: write a treatment, a colon and symbols, such as free:AU,BH")
        special.append((frozenset(symbols.split(",")), _treatment(words)))
    general, column2 = (_treatment(row[column]) if row[column] else None for column in ("general", "column2"))
    return Number(row["number"], starts, until, general, tuple(special), column2, int(row["limit"]) if row["limit"] else None)


def _treatment(words: str) -> Treatment:
    word, _, rate = words.partition(" ")
    how = next((known for known in _HOWS if known == word), None)
    if how is None or (rate and how not in _OWN) or (not rate and how in {"rate", "retail"}):
        raise ValueError(f"{words!r} is no treatment: write one of {', '.join(_HOWS)}; rate, work and retail may be followed by a rate")
    return Treatment(how, parse_rate(rate) if rate else None)
