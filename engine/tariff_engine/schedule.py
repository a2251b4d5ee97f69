"""The schedule: which rates of duty a number of chapters 1-97 bears on an entry date, by the edition in force and known.

A table prints rates once, at the code that bears them; a blank rate is that of the nearest shorter code above it. The tables are snapshots
of editions, so a number can be right on a day and yet stand in another snapshot only: as long as its eight-digit line bears one rate the
answer is usable and says so in a warning. What cannot be decided is a typed problem, never a guess.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from tariff_engine.problems import Problem, ProblemError, refuse
from tariff_engine.rates import Rate, parse_rate

_LINE, _NUMBER = 8, 10  # digits of the line that bears the legal rate, and of the statistical reporting number
_NAMED: Final = 8  # codes named in a message
_NEAR: Final = 100  # codes looked at on either side of an unknown one
_CACHE: Final = 200_000  # lines remembered; more than all numbers of the tables

Row = tuple[str, str, str, str]
"""Units, general, special, column 2, as printed; empty where the row prints nothing."""
SpecialRates = tuple[tuple[frozenset[str], Rate], ...]


@dataclass(frozen=True, slots=True)
class Edition:
    """A table of rates: its name, the first entry date that it governs, the day it was published, its citation, its file."""

    name: str
    starts: date
    published: date
    cite: str
    file: str


@dataclass(frozen=True, slots=True)
class TariffLine:
    """What the schedule says of a number: `hts` as asked (digits), the code that prints its rate, the rates, and what to know about it.

    `units` are the units of quantity as printed. Warnings are `Problem`s that do not hinder the answer: `schedule_gap`,
    `statistical_suffix_unknown`.
    """

    hts: str
    rate_line: str
    units: tuple[str, ...]
    general: Rate
    special: SpecialRates
    column2: Rate
    edition: str
    warnings: tuple[Problem, ...] = ()


def parse_special(text: str) -> SpecialRates:
    """Return the rates of a special column with the symbols that may claim each, in the order printed.

    A bracket that follows another without a rate between them adds to its symbols. Raises `ProblemError` `rate_not_understood`.

    >>> [(sorted(symbols), len(rate.terms)) for symbols, rate in parse_special("Free (AU,S) 2.5% (KR)")]
    [(['AU', 'S'], 0), (['KR'], 1)]
    """
    groups: list[tuple[frozenset[str], Rate]] = []
    *closed, tail = text.split(")")
    for piece in closed:
        head, _, inner = piece.partition("(")
        symbols = frozenset(inner.replace("(", " ").replace(",", " ").replace(".", " ").split())
        if head.strip() and symbols:
            groups.append((symbols, parse_rate(head.strip(" ,\n"))))
        elif groups and symbols:
            groups[-1] = (groups[-1][0] | symbols, groups[-1][1])
        else:
            parse_rate(f"({text}")  # neither rate nor symbols: refused by the language of rates
    if tail.strip(" /\n"):
        parse_rate(f"({tail}")
    return tuple(groups)


class Schedule:
    """The tables of all editions. Built by `schedule_files.load_schedule`; pickles small (texts are shared, parsed lines are left behind)."""

    def __init__(self, editions: tuple[Edition, ...], tables: tuple[dict[str, Row], ...], successors: dict[str, tuple[str, ...]]) -> None:
        """Take editions in the order of their dates with their rows by code, and the successors of discontinued numbers."""
        self.editions = editions
        self.tables = tables
        self.successors = successors
        self._codes = tuple(sorted(table) for table in tables)
        self._lines: dict[tuple[str, int, int], TariffLine] = {}
        self._special: dict[str, SpecialRates] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave the caches behind: they fill again on use."""
        return {"editions": self.editions, "tables": self.tables, "successors": self.successors}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Build the caches anew."""
        self.__init__(**state)  # type: ignore[misc]

    def find(self, hts: str, on: date, known_on: date | None = None) -> TariffLine:
        """Return the line of a number (8 or 10 digits, with or without dots) for an entry date, as published on or before `known_on`.

        Raises `ProblemError`: `unknown_hts` (with the nearest numbers or the successors), `ten_digits_needed`.
        """
        governing, wanted = self._governing(on, known_on)
        early = 1 if on < self.editions[0].starts else 0
        key = (hts, governing, wanted if not early else -1)
        line = self._lines.get(key)
        if line is None:
            line = self._resolve(hts, governing)
            notes = line.warnings
            if early:
                first = self.editions[0]
                notes += (_gap(f"the tables begin with {first.name} ({first.starts}); its rates are used for earlier entry dates"),)
            elif governing != wanted:
                later, used = self.editions[wanted].name, self.editions[governing].name
                notes += (_gap(f"{later} governs the entry date but was not yet published on the day asked about; {used} is used"),)
            line = replace(line, warnings=notes)
            if len(self._lines) < _CACHE:
                self._lines[key] = line
        return line

    def below(self, hts: str, on: date, known_on: date | None = None) -> tuple[str, ...]:
        """Return the ten-digit numbers of an eight-digit line, in the edition that `find` takes."""
        return tuple(self._below(hts.replace(".", "")[:_LINE], self._governing(on, known_on)[0]))

    def _governing(self, on: date, known_on: date | None) -> tuple[int, int]:
        """Return which edition to use for an entry date as known on a day, and which one governs it."""
        wanted = governing = 0
        for index, edition in enumerate(self.editions):
            if edition.starts <= on:
                wanted = index
                if known_on is None or edition.published <= known_on:
                    governing = index
        return governing, wanted

    def _resolve(self, hts: str, index: int) -> TariffLine:
        """Find a number in an edition, or say why it stands there only in part, or not at all."""
        digits = hts.replace(".", "")
        if len(digits) not in (_LINE, _NUMBER) or not (digits.isascii() and digits.isdigit()):
            raise refuse(
                "unknown_hts", "hts", f"{hts[:40]!r} is no number of the schedule", "send 8 or 10 digits as text, with or without dots"
            )
        table, edition = self.tables[index], self.editions[index].name
        stem = digits[:_LINE]
        children = list(self._below(stem, index))
        if digits in table and (len(digits) == _NUMBER or self._one_rate(stem, children, index)):
            return self._line(digits, digits, index)
        if stem not in table and not children:
            raise self._unknown(digits, index)
        if not self._one_rate(stem, children, index):
            listed = ", ".join(_dotted(code) for code in children[:_NAMED])
            raise refuse(
                "ten_digits_needed",
                "hts",
                f"{_dotted(stem)} bears different rates by statistical suffix in {edition}",
                f"send one of {listed}",
            )
        if len(digits) == _LINE or (not children and digits == stem + "00"):
            return self._line(digits, stem if stem in table else children[0], index)
        line = self._line(digits, stem if stem in table else children[0], index)
        elsewhere = [self.editions[other].name for other, codes in enumerate(self.tables) if digits in codes]
        heirs = self.successors.get(digits, ())
        follow = f"; it was discontinued for {', '.join(_dotted(code) for code in heirs)}" if heirs else ""
        if elsewhere:
            note = _gap(
                f"{_dotted(digits)} stands in {', '.join(elsewhere)}, not in {edition}, whose rate for {_dotted(stem)} is used{follow}"
            )
        else:
            valid = ", ".join(code[_LINE:] for code in children[:_NAMED]) or "00"
            more = " and others" if len(children) > _NAMED else ""
            note = Problem(
                "statistical_suffix_unknown",
                "hts",
                f"{edition} has no suffix {digits[_LINE:]} under {_dotted(stem)}, whose one rate is used{follow}",
                f"valid suffixes: {valid}{more}",
            )
        return replace(line, warnings=(note,))

    def _below(self, stem: str, index: int) -> Iterator[str]:
        """Yield the ten-digit numbers of an eight-digit line."""
        codes = self._codes[index]
        for place in range(bisect_left(codes, stem + "0"), len(codes)):
            if not codes[place].startswith(stem):
                return
            yield codes[place]

    def _printed(self, code: str, index: int) -> tuple[str, Row]:
        """Return the code that bears the general rate and the row with every blank rate taken from the nearest shorter code above."""
        table = self.tables[index]
        units, *rates = table[code]
        bearer = code
        above = code
        while len(above) > 1 and not all(rates):
            above = above[:-1]
            upper = table.get(above)
            if upper is not None:
                bearer = bearer if rates[0] else above
                rates = [own or inherited for own, inherited in zip(rates, upper[1:], strict=True)]
        return bearer, (units, rates[0], rates[1], rates[2])

    def _one_rate(self, stem: str, children: list[str], index: int) -> bool:
        """Whether an eight-digit line and all its numbers bear the same three rates."""
        codes = [stem, *children] if stem in self.tables[index] else children
        return len({self._printed(code, index)[1][1:] for code in codes}) == 1

    def _line(self, digits: str, code: str, index: int) -> TariffLine:
        bearer, (units, general, special, column2) = self._printed(code, index)
        rates = self._special.get(special)
        if rates is None:
            rates = self._special[special] = parse_special(special)
        printed = tuple(units.split(";")) if units else ()
        return TariffLine(digits, bearer, printed, parse_rate(general), rates, parse_rate(column2), self.editions[index].name)

    def _unknown(self, digits: str, index: int) -> ProblemError:
        """Return the problem of a number that an edition has not, with its successors or its nearest neighbours."""
        edition = self.editions[index].name
        message = f"{_dotted(digits)} is no number of chapters 1-97 in {edition}"
        if heirs := self.successors.get(digits):
            return refuse(
                "unknown_hts", "hts", f"{message}; it was discontinued", f"its successors are {', '.join(_dotted(code) for code in heirs)}"
            )
        elsewhere = [self.editions[other].name for other, codes in enumerate(self.tables) if digits in codes]
        if elsewhere:
            message += f"; it stands in {', '.join(elsewhere)}"
        codes = self._codes[index]
        place = bisect_left(codes, digits)
        for length in (6, 4):
            near = [code[:_LINE] for code in codes[max(place - _NEAR, 0) : place + _NEAR] if code.startswith(digits[:length])]
            if lines := list(dict.fromkeys(sorted(near, key=lambda code: abs(int(code) - int(digits[:_LINE])))))[:_NAMED]:
                return refuse("unknown_hts", "hts", message, f"the nearest are {', '.join(_dotted(line) for line in sorted(lines))}")
        return refuse(
            "unknown_hts", "hts", message, "send a number of chapters 1-97; additional duties and special provisions are not sent as hts"
        )


def _gap(message: str) -> Problem:
    return Problem("schedule_gap", "hts", message, "check the number and its rate in the edition of the entry date")


def _dotted(code: str) -> str:
    """Print a code as the schedule does: 8471.30.01.00 without the last dot, "8471.30.0100"."""
    return ".".join(part for part in (code[:4], code[4:6], code[6:]) if part)
