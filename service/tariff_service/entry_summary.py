"""An answer as the lines of an entry summary: what each HTS number carries of value and duty, as both views of it (7501, ES-003) need it.

Every line that the answer proposes to file becomes a line here, numbered through the entry. Its numbers stand in filing order: the number of
chapter 98, those of chapter 99, the number of chapters 1 to 97; the deposits of antidumping and countervailing cases stand below them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tariff_engine.problems import refuse

Data = Mapping[str, Any]
CENTS = 100


@dataclass(frozen=True, slots=True)
class Number:
    """An HTS number, or a case number (`case`), on a line: the dollars of value it carries, its rate, its duty in cents (None: not known)."""

    number: str
    rate: str
    value: int
    duty: int | None
    case: bool = False


@dataclass(frozen=True, slots=True)
class SummaryLine:
    """A line of the entry summary; `origin` and `spi` as filed, `quantity` as stated where the line is filed whole."""

    number: int
    id: str
    origin: str
    value: int
    spi: str
    quantity: Mapping[str, str]
    numbers: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee of the entry by its class code, in cents."""

    class_code: str
    name: str
    amount: int


@dataclass(frozen=True, slots=True)
class Summary:
    """The entry summary that an answer proposes. Amounts are cents; `duty` is None where a duty of a line is not known."""

    entry_number: str
    entry_type: str
    entry_date: str
    facts: Mapping[str, str]
    lines: tuple[SummaryLine, ...]
    fees: tuple[Fee, ...]
    duty: int | None
    notes: tuple[str, ...] = field(default=())

    @property
    def value(self) -> int:
        """The total entered value in dollars."""
        return sum(line.value for line in self.lines)


def entry_summary(answer: Data, *, entry_number: str = "", stated: Data | None = None) -> Summary:
    """Return the entry summary of an answer. `stated` are facts of the entry that the answer does not repeat (those of a single flat line).

    Raises ProblemError: a line of the answer has a problem; or nothing is filed, since the goods pass without an entry.
    """
    if answer["problems"]:
        first = answer["problems"][0]
        raise refuse(first["code"], first["field"], first["message"], first["fix"])
    lines = answer["lines"]
    if any("released_by" in line for line in lines):
        raise refuse(
            "nothing_to_file", "lines", "the goods pass without an entry: no entry summary is filed", "see `tariff assess` for why"
        )
    found: list[SummaryLine] = []
    for line in lines:
        found += _lines(line, len(found))
    facts = {name: str(value) for name, value in {**(stated or {}), **answer["entry"]}.items() if name not in {"lines", "id"}}
    duties = [number.duty for line in found for number in line.numbers]
    return Summary(
        entry_number,
        answer["filing"]["entry_type"]["code"],
        lines[0]["entry_date"],
        facts,
        tuple(found),
        _fees(answer["fees"]),
        None if None in duties else sum(duty for duty in duties if duty is not None),
        _notes(lines),
    )


def _lines(line: Data, before: int) -> list[SummaryLine]:
    filing = line["filing"]
    whole = len(filing["lines"]) == 1
    found = []
    for place, filed in enumerate(filing["lines"]):
        value = int(filed["value"])
        numbers = [*_chapter98(line, filing, value, whole=whole), *_numbers(line, filed, value, whole=whole), *_cases(filed)]
        if place == 0:
            numbers += _unnumbered(line)
        quantity = filing.get("quantity", {}) if whole else {}
        found.append(SummaryLine(before + place + 1, line["id"], line["origin"], value, filing.get("spi", ""), quantity, tuple(numbers)))
    return found


def _apart(line: Data, filing: Data, value: int, *, whole: bool) -> int:
    """Return the dollars that the chapter 98 number carries: what is not dutiable, where a part of the value is and a part is not."""
    dutiable = line["base"].get("dutiable_value")
    return value - int(dutiable) if whole and "chapter98" in filing and dutiable is not None and 0 < int(dutiable) < value else 0


def _chapter98(line: Data, filing: Data, value: int, *, whole: bool) -> list[Number]:
    if "chapter98" not in filing or any(row["heading"] == filing["chapter98"] for row in line["headings"]):
        return []
    return [Number(filing["chapter98"], "Free", _apart(line, filing, value, whole=whole), 0)]


def _numbers(line: Data, filed: Data, value: int, *, whole: bool) -> list[Number]:
    """Return the numbers of chapters 99 and 1 to 97; the last one carries the value."""
    *others, base = filed["numbers"]
    left = value - _apart(line, line["filing"], value, whole=whole)
    return [
        *(Number(row["heading"], row["rate"], 0, _cents(row["duty"])) for row in others),
        Number(base["heading"], base["rate"], left, _cents(base["duty"])),
    ]


def _cases(filed: Data) -> list[Number]:
    return [Number(row["case"], row["rate"], 0, _cents(row["duty"]), case=True) for row in filed.get("adcvd", ())]


def _unnumbered(line: Data) -> list[Number]:
    """Return what the line owes, or has set off, that no number reports."""
    rows = [row for row in line["headings"] if not row["heading"] and _cents(row["duty"])]
    return [Number("", row["rate"], 0, _cents(row["duty"])) for row in rows]


def _fees(fees: Data) -> tuple[Fee, ...]:
    found = []
    for key, name in (("mpf", "MPF"), ("hmf", "HMF")):
        detail = fees["detail"][key]
        amount = _cents(detail["amount"]) or 0
        extra = detail.get("surcharge")
        more = (_cents(extra["amount"]) or 0) if extra else 0
        if amount - more:
            found.append(Fee(detail.get("class_code", ""), name, amount - more))
        if extra:
            found.append(Fee(extra["class_code"], f"{name} surcharge", more))
    return tuple(found)


def _notes(lines: Sequence[Data]) -> tuple[str, ...]:
    """Return what whoever files must know: goods that may not enter, and warnings on the form itself."""
    found = [f"Line {line['id']}: these goods may not be imported." for line in lines if line.get("prohibited")]
    wanted = {"too_many_numbers", "adcvd_rate_needed", "adcvd_possible"}
    found += [f"Line {line['id']}: {warning['message']}." for line in lines for warning in line["warnings"] if warning["code"] in wanted]
    return tuple(found)


def _cents(amount: str | None) -> int | None:
    """Return a decimal string of dollars, always with two decimals, in cents."""
    return None if amount is None else int(amount.replace(".", ""))
