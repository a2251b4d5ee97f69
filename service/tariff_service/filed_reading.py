"""What was filed: the HTS numbers of each line with the duty and the value that the file states for each, in filing order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tariff_engine.evaluate.words import dotted
from tariff_engine.problems import Problem, ProblemError, refuse
from tariff_engine.refund import read_amount
from tariff_service.refund_rows import Claim, read_claims

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line
    from tariff_service.refund_files import Lines, Row

_CHAPTER_98, _CHAPTER_99 = "98", "99"  # of the nomenclature: provisions that stand beside the number of the goods
_EXCLUSIONS = "exclusion_claims"


@dataclass(frozen=True, slots=True)
class FiledNumber:
    """An HTS number as filed: its duty in cents (None: the file does not state it) and the whole dollars of value stated beside it."""

    number: str
    duty: int | None
    value: int | None = None


@dataclass(slots=True)
class FiledLine:
    """A line as filed. `goods` is what is stated for its chapter 1-97 number, `others` are its numbers of chapter 99.

    `in_order`: the file says in which order the numbers stand.
    """

    claim: Claim
    goods: FiledNumber
    others: tuple[FiledNumber, ...]
    in_order: bool
    notes: tuple[Problem, ...] = field(default=())

    @property
    def line(self) -> Line:
        """The line as the engine reads it."""
        if self.claim.line is None:
            message = "a line that was filed has been read"
            raise RuntimeError(message)
        return self.claim.line

    @property
    def paid(self) -> dict[str, int]:
        """What is stated to be paid under each number, in cents."""
        stated = (*self.others, self.goods)
        return {one.number: one.duty for one in stated if one.duty is not None}


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that could not be read, and why."""

    claim: Claim
    problem: Problem


def read_filed(lines: Lines, knowledge: Knowledge) -> list[FiledLine | Unread]:
    """Return the lines of a file as they were filed, in the order of the file.

    Raises ProblemError `column_missing`: no column says what was paid.
    """
    _refuse_without_duties(lines)
    rows = {row.number: row for row in lines.rows}
    found: list[FiledLine | Unread] = []
    for claim in read_claims(lines, knowledge, duty_of_number=True):
        if claim.line is None or claim.problem is not None:
            found.append(Unread(claim, claim.problem or Problem("internal_error", "row", "the row was not read")))
            continue
        try:
            found.append(_filed(claim, [rows[number] for number in claim.rows], knowledge, table=lines.columns is not None))
        except ProblemError as error:
            found.append(Unread(claim, error.problem))
    return found


def _refuse_without_duties(lines: Lines) -> None:
    if lines.columns is None:
        return
    targets = [target for target in lines.columns.targets if target is not None]
    if ("own", "duty") not in targets and not any(kind == "paid" for kind, _ in targets):
        message = "no column holds what was paid"
        fix = "send a row for each HTS number with a column Duty Paid, or a column Paid NUMBER for each number"
        raise refuse("column_missing", "duty", message, fix)


def _filed(claim: Claim, rows: list[Row], knowledge: Knowledge, *, table: bool) -> FiledLine:
    if claim.paid_total is not None:
        raise refuse(
            "unprocessable", "paid_total", "a sum of several numbers cannot be compared number by number", "send each number's duty"
        )
    line = claim.line
    if line is None:
        message = "only lines that were read come here"
        raise RuntimeError(message)
    by_row = table and (len(rows) > 1 or "duty" in rows[0].facts)
    numbers = list(_of_rows(rows)) if by_row else list(_of_map(claim.paid or {}))
    if by_row and len(rows) == 1:
        numbers = [*_of_map(claim.paid or {}), *numbers]
    goods = dotted(line.hts)
    main = [one for one in numbers if one.number == goods or goods.startswith(one.number)]
    beside = [one for one in numbers if one not in main and not one.number.startswith(_CHAPTER_98)]
    strange = next((one.number for one in beside if not one.number.startswith(_CHAPTER_99)), None)
    if strange is not None:
        message = f"{strange} is no number of chapter 99, and the goods are {goods}"
        raise refuse("line_numbers", "paid", message, "give each article a line of its own")
    if len(main) > 1:
        raise refuse("fact_stated_twice", "paid", f"{' and '.join(one.number for one in main)} are one number", "send one amount a number")
    under98 = sum(one.duty or 0 for one in numbers if one.number.startswith(_CHAPTER_98))
    stated = next((one for one in main), FiledNumber(goods, None))
    duty = None if stated.duty is None else stated.duty + under98
    filed = FiledLine(claim, FiledNumber(goods, duty, stated.value), tuple(beside), by_row and len(rows) > 1)
    _claim_exclusions(filed, knowledge)
    return filed


def _of_rows(rows: Iterable[Row]) -> Iterable[FiledNumber]:
    """Yield the numbers of rows in the order of their ordinals, where every row has one, else in that of the file."""
    ordered = list(rows)
    ordinals = [str(row.facts.get("ordinal", "")) for row in ordered]
    if all(ordinal.isascii() and ordinal.isdigit() for ordinal in ordinals):
        ordered = [row for _, row in sorted(zip(map(int, ordinals), ordered, strict=True), key=lambda pair: pair[0])]
    for row in ordered:
        facts = row.facts
        value = facts.get("value")
        dollars = None if value is None else read_amount(value, "value")
        yield FiledNumber(_number(facts), read_amount(facts.get("duty") or "0", "duty"), None if dollars is None else dollars // 100)


def _number(facts: Mapping[str, Any]) -> str:
    return dotted(str(facts["hts"]).replace(".", ""))


def _of_map(paid: Mapping[str, int]) -> Iterable[FiledNumber]:
    return (FiledNumber(number, duty) for number, duty in paid.items())


def _claim_exclusions(filed: FiledLine, knowledge: Knowledge) -> None:
    """Take an exclusion that was filed for claimed: on an entry summary the number is the claim."""
    line = filed.line
    known = knowledge.law.compiled.claim_bits
    stated = list(line.facts.get(_EXCLUSIONS, ()))
    claimed = [one.number for one in filed.others if one.number in known and one.number not in stated]
    if claimed:
        filed.claim.line = knowledge.reader.with_facts(line, {_EXCLUSIONS: [*stated, *claimed]})
        message = f"{', '.join(claimed)} is filed on the line, so the exclusion is taken for claimed"
        filed.notes = (Problem("claim_taken", _EXCLUSIONS, message, "check that the goods are those it describes"),)
