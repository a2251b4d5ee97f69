"""The schedule: which rates of duty a number of chapters 1-97 bears on an entry date, by the edition in force and known.

Some tables are snapshots of editions with numbers of ten digits (`plain_table`), so a number can be right on a day and yet stand in another
snapshot only: as long as its eight-digit line bears one rate the answer is usable and says so in a warning. Others give eight-digit numbers by
spans of days (`dated_table`). What cannot be decided is a typed problem, never a guess.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Final

from tariff_engine.dated_table import DatedTable, Row, Span
from tariff_engine.plain_table import PlainTable
from tariff_engine.problems import Problem, ProblemError, refuse
from tariff_engine.rates import parse_rate
from tariff_engine.succession import Life, Period, Table, forebears, heirs, lives, stands
from tariff_engine.tariff_line import SpecialRates, TariffLine, dotted, gap, parse_special

__all__ = ["Edition", "Schedule", "TariffLine", "parse_special"]

_LINE, _NUMBER = 8, 10  # digits of the line that bears the legal rate, and of the statistical reporting number
_NAMED: Final = 8  # codes named in a message
_CACHE: Final = 200_000  # lines remembered; more than all numbers of the tables


@dataclass(frozen=True, slots=True)
class Edition:
    """A table of rates: its name, the first entry date that it governs, the day it was published, its citation, its file."""

    name: str
    starts: date
    published: date
    cite: str
    file: str


class Schedule:
    """The tables of all editions. Built by `schedule_files.load_schedule`; pickles small (texts are shared, parsed lines are left behind)."""

    def __init__(self, editions: tuple[Edition, ...], tables: tuple[Table, ...], successors: dict[str, tuple[str, ...]]) -> None:
        """Take editions in the order of their dates with the table of each, and the successors of discontinued numbers."""
        self.editions = editions
        self.tables = tables
        self.successors = successors
        self._starts = [edition.starts for edition in editions]
        ends = (*(edition.starts for edition in editions[1:]), None)
        self.periods = tuple(Period(edition.starts, until) for edition, until in zip(editions, ends, strict=True))
        self._dated = [table for table in dict.fromkeys(tables) if isinstance(table, DatedTable)]
        self._lines: dict[tuple[str, int, int, date | None], TariffLine] = {}
        self._special: dict[str, SpecialRates] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave the caches behind: they fill again on use."""
        return {"editions": self.editions, "tables": self.tables, "successors": self.successors}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Build the caches anew."""
        self.__init__(**state)  # type: ignore[misc]

    def find(self, hts: str, on: date, known_on: date | None = None) -> TariffLine:
        """Return the line of a number (8 or 10 digits, with or without dots) for an entry date, as published on or before `known_on`.

        Raises `ProblemError`: `unknown_hts` (with the nearest numbers), `hts_not_in_force` (with successors or predecessors),
        `ten_digits_needed`.
        """
        governing, wanted = self._governing(on, known_on)
        early = on < self.editions[0].starts
        table, day = self.tables[governing], self._day(governing, on)
        span = table.at(hts.replace(".", "")[:_LINE], day) if isinstance(table, DatedTable) else None
        key = (hts, governing, -1 if early else wanted, span.starts if span else None)
        line = self._lines.get(key)
        if line is None:
            line = self._resolve(hts, governing, day, span)
            notes = line.warnings
            if early:
                first = self.editions[0]
                notes += (gap(f"the tables begin with {first.name} ({first.starts}); its rates are used for earlier entry dates"),)
            elif governing != wanted:
                later, used = self.editions[wanted].name, self.editions[governing].name
                notes += (gap(f"{later} governs the entry date but was not yet published on the day asked about; {used} is used"),)
            line = replace(line, warnings=notes)
            if len(self._lines) < _CACHE:
                self._lines[key] = line
        return line

    def below(self, hts: str, on: date, known_on: date | None = None) -> tuple[str, ...]:
        """Return the ten-digit numbers of an eight-digit line, in the edition that `find` takes.

        A dated table prints none: those of the first edition that does print some are taken.
        """
        stem = hts.replace(".", "")[:_LINE]
        for table in self.tables[self._governing(on, known_on)[0] :]:
            if isinstance(table, PlainTable):
                return tuple(table.below(stem))
        return ()

    def numbers(self) -> tuple[str, ...]:
        """Return the ten-digit numbers of all editions in order; a line that no edition prints with ten digits gets the suffix 00."""
        codes = {code for table in self.tables for code in table.codes}
        full = {code for code in codes if len(code) > _LINE}
        printed = {code[:_LINE] for code in full}
        return tuple(sorted(full | {f"{code}00" for code in codes if len(code) == _LINE and code not in printed}))

    def lives(self, hts: str) -> tuple[Life, ...]:
        """Return the days in which an eight-digit line stood in the schedule, as far as the tables go."""
        return lives(self.tables, self.periods, hts.replace(".", "")[:_LINE])

    def days_of(self, hts: str) -> list[date]:
        """Return the days on which the rates of an eight-digit line may change: bounds of its spans, first days of editions."""
        stem = hts.replace(".", "")[:_LINE]
        found = set(self._starts)
        for table in self._dated:
            for span in table.spans(stem):
                found |= {span.starts} if span.until is None else {span.starts, span.until}
        return sorted(found)

    @cached_property
    def days(self) -> tuple[date, ...]:
        """The days on which the rates of some line may change, in order: those of `days_of` for all lines."""
        return tuple(sorted({day for stem in dict.fromkeys(number[:_LINE] for number in self.numbers()) for day in self.days_of(stem)}))

    def successors_of(self, hts: str, on: date) -> tuple[tuple[str, ...], bool]:
        """Return the numbers that took the place of one that had ended on a day, and whether they are official or merely possible."""
        digits = hts.replace(".", "")
        if official := self.successors.get(digits, ()):
            return official, True
        return heirs(self.tables, self.periods, digits[:_LINE], on), False

    def predecessors_of(self, hts: str, on: date) -> tuple[str, ...]:
        """Return possible predecessors of a number that had not begun on a day."""
        return forebears(self.tables, self.periods, hts.replace(".", "")[:_LINE], on)

    def starting(self, digits: str, on: date, most: int) -> list[tuple[str, str]]:
        """Return the first numbers of eight or ten digits that begin so, with the general rate as printed, in the edition of a day."""
        index = self._governing(on, None)[0]
        table, found = self.tables[index], list[tuple[str, str]]()
        for code in table.under(digits):
            if len(found) == most:
                break
            if isinstance(table, PlainTable):
                if len(code) in (_LINE, _NUMBER):
                    found.append((code, table.printed(code)[1][1]))
            elif (span := table.at(code, self._day(index, on))) is not None:
                found.append((code, span.row[1]))
        return found

    def _governing(self, on: date, known_on: date | None) -> tuple[int, int]:
        """Return which edition to use for an entry date as known on a day, and which one governs it."""
        wanted = max(0, bisect_right(self._starts, on) - 1)
        if known_on is None:
            return wanted, wanted
        known = (index for index in range(wanted, 0, -1) if self.editions[index].published <= known_on)
        return next(known, 0), wanted

    def _day(self, index: int, on: date) -> date:
        """Return the day of an edition that is nearest to a day."""
        period = self.periods[index]
        if on < period.starts:
            return period.starts
        return on if period.until is None or on < period.until else period.until - timedelta(1)

    def _resolve(self, hts: str, index: int, day: date, span: Span | None) -> TariffLine:
        """Find a number in an edition, or say why it stands there only in part, or not at all."""
        digits = hts.replace(".", "")
        if len(digits) not in (_LINE, _NUMBER) or not (digits.isascii() and digits.isdigit()):
            raise refuse(
                "unknown_hts", "hts", f"{hts[:40]!r} is no number of the schedule", "send 8 or 10 digits as text, with or without dots"
            )
        table = self.tables[index]
        if isinstance(table, PlainTable):
            return self._in_plain(digits, table, index, day)
        if span is None:
            raise self._unknown(digits, index, day)
        return self._in_dated(digits, span, index)

    def _in_dated(self, digits: str, span: Span, index: int) -> TariffLine:
        """Return the line of a table of eight-digit numbers; ten digits are taken, for their first eight bear the rates."""
        name = self.editions[index].name
        line = self._line(digits, digits[:_LINE], span.row, name)
        suffix = digits[_LINE:]
        if suffix.strip("0") and not any(digits in table for table in self.tables):
            note = Problem(
                "statistical_suffix_unknown",
                "hts",
                f"{name} prints eight digits; the suffix {suffix} of {dotted(digits)} stands in no edition of this book",
                "check the statistical suffix in the edition of the entry date",
            )
            line = replace(line, warnings=(note,))
        return replace(line, special_doubts=frozenset(span.doubts.split(";"))) if span.doubts else line

    def _in_plain(self, digits: str, table: PlainTable, index: int, day: date) -> TariffLine:
        """Find a number in the table of one edition."""
        edition, stem = self.editions[index].name, digits[:_LINE]
        if digits in table and len(digits) == _NUMBER:
            return self._line(digits, *table.printed(digits), edition)
        children = table.below(stem)
        if digits in table and table.one_rate(stem, children):
            return self._line(digits, *table.printed(digits), edition)
        if stem not in table and not children:
            raise self._unknown(digits, index, day)
        if not table.one_rate(stem, children):
            listed = ", ".join(dotted(code) for code in children[:_NAMED])
            raise refuse(
                "ten_digits_needed",
                "hts",
                f"{dotted(stem)} bears different rates by statistical suffix in {edition}",
                f"send one of {listed}",
            )
        line = self._line(digits, *table.printed(stem if stem in table else children[0]), edition)
        if len(digits) == _LINE or (not children and digits == stem + "00"):
            return line
        elsewhere = self._elsewhere(digits)
        successors = self.successors.get(digits, ())
        follow = f"; it was discontinued for {', '.join(dotted(code) for code in successors)}" if successors else ""
        if elsewhere:
            note = gap(
                f"{dotted(digits)} stands in {', '.join(elsewhere)}, not in {edition}, whose rate for {dotted(stem)} is used{follow}"
            )
        else:
            valid = ", ".join(code[_LINE:] for code in children[:_NAMED]) or "00"
            more = " and others" if len(children) > _NAMED else ""
            note = Problem(
                "statistical_suffix_unknown",
                "hts",
                f"{edition} has no suffix {digits[_LINE:]} under {dotted(stem)}, whose one rate is used{follow}",
                f"valid suffixes: {valid}{more}",
            )
        return replace(line, warnings=(note,))

    def _line(self, digits: str, bearer: str, row: Row, edition: str) -> TariffLine:
        units, general, special, column2 = row
        rates = self._special.get(special)
        if rates is None:
            rates = self._special[special] = parse_special(special)
        printed = tuple(units.split(";")) if units else ()
        return TariffLine(digits, bearer, printed, parse_rate(general), rates, parse_rate(column2), edition)

    def _elsewhere(self, digits: str) -> list[str]:
        """Return the names of the editions that print a number letter for letter."""
        return [edition.name for edition, table in zip(self.editions, self.tables, strict=True) if digits in table]

    def _unknown(self, digits: str, index: int, day: date) -> ProblemError:
        """Return the problem of a number that an edition has not: it was or will be one, with those in its place; or it never was."""
        edition, stem = self.editions[index].name, digits[:_LINE]
        known = self.lives(stem)
        if known or digits in self.successors:
            return self._not_in_force(digits, edition, known, day)
        message = f"{dotted(digits)} is no number of chapters 1-97 in {edition}"
        for length in (6, 4):
            near = {code[:_LINE] for code in self.tables[index].under(digits[:length])} - {stem}
            standing = [code for code in near if stands(self.lives(code), day)]
            if lines := sorted(sorted(standing, key=lambda code: (abs(int(code) - int(stem)), code))[:_NAMED]):
                return refuse("unknown_hts", "hts", message, f"the nearest are {', '.join(dotted(line) for line in lines)}")
        return refuse(
            "unknown_hts", "hts", message, "send a number of chapters 1-97; additional duties and special provisions are not sent as hts"
        )

    def _not_in_force(self, digits: str, edition: str, known: tuple[Life, ...], day: date) -> ProblemError:
        """Return the problem of a number that stands in other editions, with its successors or predecessors."""
        ended = [until for _, until in known if until is not None and until <= day]
        message = f"{dotted(digits)} is no number of chapters 1-97 in {edition} on {day}"
        fix = "classify the goods anew: no number of its heading took its place on that day"
        if ended or not known:
            message += f"; its last day was {ended[-1] - timedelta(1)}" if ended else "; it was discontinued"
            found, official = self.successors_of(digits, day)
            word = "its successors are" if official else "possible successors, of the same heading:"
        else:
            message += f"; its first day is {known[0][0]}"
            found, word = self.predecessors_of(digits, day), "possible predecessors, of the same heading:"
        if found:
            fix = f"{word} {', '.join(dotted(code) for code in found)}"
        return refuse("hts_not_in_force", "hts", message, fix)
