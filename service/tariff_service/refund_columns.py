"""What the columns of a broker's file mean: known by the names that brokers write, never guessed. Text of cells into facts of a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tariff_engine.problems import Problem, ProblemError, refuse

if TYPE_CHECKING:
    from tariff_engine.law import Law

_HEADERS = {  # by what they stand for; the names of facts, their aliases and the headers of refunds.yaml come to these
    "id": ("Line ID", "Reference", "Row ID"),
    "entry_number": ("Entry Number", "Entry No", "Entry Num", "Entry", "Entry Summary Number", "Entry Summary No"),
    "line": ("Line", "Line Number", "Line No", "Entry Line", "Entry Line Number", "Entry Line No", "Entry Summary Line Number"),
    "hts": (
        "HTS",
        "HTS Number",
        "HTS No",
        "HTS Code",
        "HTSUS",
        "HTSUS Number",
        "HTS Number Full",
        "Primary HTS",
        "HTS Formatted",
        "HTSUS Code",
        "Tariff",
        "Tariff Number",
        "Tariff No",
    ),
    "origin": (
        "Origin",
        "COO",
        "C/O",
        "C.O.O.",
        "Country of Origin",
        "Country of Origin Code",
        "Origin Country",
        "Origin Code",
        "Ctry of Origin",
    ),
    "entry_date": ("Entry Date", "Date of Entry", "Entry Dt"),
    "value": (
        "Value",
        "Value USD",
        "Entered Value",
        "Entered Value USD",
        "Line Value",
        "Line Entered Value",
        "Line Goods Value Amount",
        "Line Tariff Goods Value Amount",
        "Goods Value",
    ),
    "spi": ("SPI", "Line SPI Code"),
    "export_country": ("Export Country", "Country of Export", "Country of Export Code"),
    "paid_total": ("Paid Total",),
    "duty": ("Duty Paid", "Line Tariff Duty Amount"),
    "ordinal": ("Tariff Ordinal Number",),
    **{f"quantity_{place}": (f"Line Tariff Quantity ({place})",) for place in (1, 2, 3)},
    **{f"unit_{place}": (f"Line Tariff UOM ({place}) Code",) for place in (1, 2, 3)},
}
_QUANTITIES = [(f"quantity_{place}", f"unit_{place}") for place in (1, 2, 3)]  # as ES-003 has them: each amount beside its unit
_AMOUNTS = frozenset({"duty", "paid_total", *(amount for amount, _ in _QUANTITIES)})
_MEASURES = {  # how brokers name a quantity and its unit in columns of their own
    **{f"quantity_{place}": (f"Quantity {place}", f"Qty {place}", f"Reporting Quantity {place}") for place in (1, 2, 3)},
    **{f"unit_{place}": (f"UOM {place}", f"Unit {place}", f"Reporting UOM {place}") for place in (1, 2, 3)},
}
_PAYMENTS = frozenset({"paid_total", "duty"})
_REQUIRED = ("hts", "origin", "entry_date", "value")
_TEXT_TYPES = frozenset({"text", "code", "country"})
_UNFIT = frozenset({"map", "cases"})  # of several values: not in one cell
_PAID = re.compile(r"\s*paid\s+([0-9][0-9.]{7,14})\s*\Z", re.IGNORECASE)
_QUANTITY = re.compile(r"\s*quantity\s+\(?([^()]{1,20}?)\)?\s*\Z", re.IGNORECASE)
_AMERICAN = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})\Z")
_MONEY = re.compile(r"\$?\s*((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)\s*%?\Z")
_YES, _NO = frozenset({"y", "yes", "true", "1", "x"}), frozenset({"n", "no", "false", "0"})
_HTS_SHORT = {7: 8, 9: 10}  # digits of a number that lost its leading zero, and of the number
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a text that a spreadsheet would take for a formula begins so
_MAX_CELL = 2_000
Target = tuple[str, str]


@dataclass(slots=True)
class Columns:
    """What the columns of a file stand for: `targets` by place, and the headers that nobody knows."""

    headers: list[str]
    targets: list[Target | None]
    unknown: list[str] = field(default_factory=list)

    def used(self) -> dict[str, str]:
        """Return by each header that is read what it stands for."""
        pairs = zip(self.headers, self.targets, strict=True)
        return {header: " ".join(filter(None, target)) for header, target in pairs if target is not None}


class Dictionary:
    """Every header that is known for a law, and for an action of refunds."""

    def __init__(self, law: Law, action: str | None = "", named: Mapping[str, Target | None] | None = None) -> None:
        """Collect the names: facts of the law with their aliases, facts of entries with their headers, and those of this module.

        `action` names sums that were paid under it, such as "Paid IEEPA"; None says that no column holds what was paid. `named` are headers of
        one file for what they stand for; they go before the known ones, and None there says that a column is not read.
        """
        self._law = law
        self._payments = action is not None
        self._named = {plain(header): target for header, target in (named or {}).items()}
        self._known: dict[str, Target] = {}
        for name, spec in law.facts.items():
            if spec.type not in _UNFIT:
                self._add(("fact", name), (name, *spec.aliases))
        for name, fact in law.refunds.facts.items():
            if action is not None or name in law.facts:
                self._add(("entry" if action is not None else "fact", name), (name, *fact.headers))
        for name, headers in _HEADERS.items():
            if action is None and name in _PAYMENTS:
                continue  # what was paid says nothing of what is owed
            self._add(("fact", name) if name in law.facts else ("own", name), (name, *headers))
        if action is None:
            for name, headers in _MEASURES.items():
                self._add(("own", name), headers)
        elif action:
            self._add(("own", "paid_total"), (f"paid {action}", f"{action} paid", f"{action} duty paid"))

    def _add(self, target: Target, names: Iterable[str]) -> None:
        for name in names:
            self._known[plain(name)] = target

    def target(self, header: str) -> Target | None:
        """Return what a header stands for, None where nobody knows."""
        if plain(header) in self._named:
            return self._named[plain(header)]
        paid, quantity = _PAID.match(header), _QUANTITY.match(header)
        if paid:
            return ("paid", paid.group(1)) if self._payments else None
        known = self._known.get(plain(header))
        return ("quantity", quantity.group(1).strip()) if quantity and known is None else known

    def is_header(self, cells: list[str], given: frozenset[str] = frozenset()) -> bool:
        """Whether a row names the columns: the number of the goods, and two more of those without which no line can be assessed.

        `given` are facts that all rows state, so that no column need name them.
        """
        found = {self.target(cell) for cell in cells if cell} | {("fact", name) for name in given}
        return all(("fact", name) in found for name in _REQUIRED[:1]) and len(found & {("fact", name) for name in _REQUIRED}) > 2  # noqa: PLR2004

    def read(self, headers: list[str], given: frozenset[str] = frozenset()) -> Columns:
        """Return what each column stands for; `given` facts need no column. Raises ProblemError: two columns for one thing, or one of the needed is missing."""
        targets = [self.target(header) if header else None for header in headers]
        for place, target in enumerate(targets):
            if target is not None and target in targets[:place]:
                first = headers[targets.index(target)]
                message = f"the columns {first[:60]!r} and {headers[place][:60]!r} both stand for {' '.join(target)}"
                raise refuse("column_twice", headers[place][:60], message, "keep one of them")
        missing = [name for name in _REQUIRED if ("fact", name) not in targets and name not in given]
        if missing:
            names = "; ".join(f"{name}: {', '.join(_HEADERS[name])}" for name in missing)
            raise refuse("column_missing", missing[0], f"no column holds {', '.join(missing)}", f"name a column by one of these: {names}")
        unknown = [header for header, target in zip(headers, targets, strict=True) if header and target is None]
        return Columns(headers, targets, unknown)

    # ------------------------------------------------------------ cells
    def facts(self, columns: Columns, cells: list[Any]) -> tuple[dict[str, Any], list[Problem]]:
        """Return the cells of a row under the names that `refund_rows` reads, and notes on what was mended. Raises ProblemError."""
        found: dict[str, Any] = {}
        notes: list[Problem] = []
        wrong: list[Problem] = []
        for place, target in enumerate(columns.targets):
            value = cells[place] if place < len(cells) else None
            if target is None or value is None or (isinstance(value, str) and not value.strip()):
                continue
            kind, name = target
            try:
                read = self.read_cell(target, value, columns.headers[place], notes)
            except ProblemError as error:
                wrong.append(error.problem)
                continue
            if kind in {"paid", "quantity"}:
                found.setdefault(kind, {})[name] = read
            else:
                found[name] = read
        if wrong:
            first, *others = wrong
            raise ProblemError(Problem(first.code, first.field, first.message, first.fix, tuple(others)))
        for amount, unit in _QUANTITIES:
            sent = found.pop(amount, None), found.pop(unit, None)
            if None not in sent:
                found.setdefault("quantity", {})[sent[1]] = sent[0]
        if any(cell is not None and str(cell).strip() for cell in cells[len(columns.headers) :]):
            raise refuse("row_too_wide", "row", "the row has more cells than the header", "quote cells that hold a comma")
        return found, notes

    @staticmethod
    def place(columns: Columns, cells: list[Any]) -> dict[str, Any]:
        """Return the entry and line number of a row that cannot be read, so that the rest of its line is not read without it."""
        found: dict[str, Any] = {}
        for name in ("entry_number", "line"):
            at = columns.targets.index(("own", name)) if ("own", name) in columns.targets else len(cells)
            if at < len(cells) and cells[at] is not None and str(cells[at]).strip():
                found[name] = _text(cells[at])[:_MAX_CELL]
        return found

    def read_cell(self, target: Target, value: Any, header: str, notes: list[Problem]) -> Any:
        """Return one cell as what its column stands for, and note what was mended. Raises ProblemError."""
        kind, name = target
        if isinstance(value, str):
            value = value.strip()
            if len(value) > _MAX_CELL:
                raise refuse("too_long", header[:60], f"a cell of {len(value)} characters", f"send at most {_MAX_CELL}")
            if value.startswith("="):
                raise refuse(
                    "formula_cell", header[:60], f"{header[:60]} holds a formula; formulas are not computed", "paste the values instead"
                )
        if kind in {"paid", "quantity"} or name in _AMOUNTS:
            return _number(name, value)
        if kind == "own":
            return _text(value)
        type_ = self._law.facts[name].type if kind == "fact" else self._law.refunds.facts[name].type
        if name == "hts":
            return self._hts(value, notes)
        if type_ in {"usd", "number", "pct"}:
            return _number(name, value)
        if type_ == "date":
            return _day(name, value)
        if type_ == "bool":
            return _bool(name, value)
        if type_ == "list":
            return [item for item in re.split(r"[\s,;|]+", _text(value)) if item]
        if name == "entry_type":
            return _text(value).zfill(2)
        text = _text(value)
        return text.upper() if type_ == "country" else text

    def _hts(self, value: Any, notes: list[Problem]) -> str:
        digits = _text(value).replace(".", "").replace(" ", "")
        if not (digits.isascii() and digits.isdigit()) or len(digits) not in _HTS_SHORT:
            return digits
        whole = self.with_zero(digits)
        if whole is None:
            return digits
        notes.append(Problem("hts_zero_added", "hts", f"{_text(value)[:20]} is read as {whole}: a spreadsheet dropped its leading zero"))
        return whole

    def with_zero(self, digits: str) -> str | None:
        """Return a number of 7 or 9 digits with the zero before it that a spreadsheet dropped; None where no edition has such a number.

        Raises ProblemError `hts_ambiguous`: with the zero behind it, it would be a number of the schedule too.
        """
        first, last = f"0{digits}", f"{digits}0"
        if not self._law.schedule.lives(first):
            return None
        if self._law.schedule.lives(last):
            message = f"{digits} has {len(digits)} digits, and both {first} and {last} are numbers of the schedule"
            raise refuse("hts_ambiguous", "hts", message, "send the number as text, with all its digits")
        return first


def plain(header: str) -> str:
    """Return a header as it is compared: letters and digits in lower case, with single blanks."""
    return " ".join(re.findall(r"[a-z0-9]+", header.lower()))


def _text(value: Any) -> str:
    if isinstance(value, float):
        value = Decimal(repr(value))
        return str(int(value)) if value == int(value) else str(value)
    return str(value).strip()


def _number(name: str, value: Any) -> str:
    """Return a number as text; commas part thousands and nothing else."""
    if isinstance(value, bool | date):
        raise refuse("wrong_type", name, f"{name} is {value}", "send a number such as 1234.56")
    if isinstance(value, float):  # as Excel keeps every number: its shortest decimal is what the sheet shows
        value = format(Decimal(repr(value)), "f")
    found = _MONEY.match(str(value))
    if found is None:
        raise refuse("wrong_type", name, f"{name} is {str(value)[:60]!r}", "send a number such as 1234.56 or $1,234.56")
    return found.group(1).replace(",", "").rstrip(".")


def _day(name: str, value: Any) -> date | str:
    if isinstance(value, datetime):
        return value.date()
    found = _AMERICAN.match(_text(value))
    if found:
        month, day, year = (int(part) for part in found.groups())
        try:
            return date(year, month, day)
        except ValueError:
            raise refuse("wrong_type", name, f"{name} is {value}, no day as MM/DD/YYYY", "send YYYY-MM-DD") from None
    return value if isinstance(value, date) else _text(value)


def _bool(name: str, value: Any) -> bool:
    word = str(value).strip().lower()
    if isinstance(value, bool) or word in _YES | _NO:
        return value if isinstance(value, bool) else word in _YES
    raise refuse("wrong_type", name, f"{name} is {str(value)[:60]!r}", "send yes or no")


def safe_cell(value: Any) -> str:
    """Return a value as text that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def columns_data(columns: Columns | None) -> Mapping[str, Any] | None:
    """Return what was read from which column, as it stands in a report."""
    return None if columns is None else {"read": columns.used(), "not_read": columns.unknown}
