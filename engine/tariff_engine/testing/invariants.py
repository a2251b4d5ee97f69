"""What holds for the answer on every line, whatever the law says. docs/invariants.md tells each in plain words, with the law behind it.

Each function takes the line as sent and its answer (docs/answer.md: an item of `lines`, or a row of a batch), and raises `InvariantError`.
They read nothing but the answer, so they serve for answers that came over HTTP, and for those of another system in the same shape.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from tariff_engine.testing.problems import InvariantError

Line = Mapping[str, Any]
Answer = Mapping[str, Any]
CENT: Final = Decimal("0.01")
KINDS: Final = ("additional", "total", "exemption", "prohibited", "credit", "adcvd", "base")
_CHARGING: Final = frozenset({"additional", "total", "prohibited"})
_OUTSIDE: Final = frozenset({"base", "adcvd"})  # rows of no program


def _fail(name: str, what: str, line: Line, answer: Answer) -> InvariantError:
    return InvariantError(name, what, line, answer["headings"])


def _sum(amounts: Iterator[str | None]) -> Decimal:
    return sum((Decimal(amount) for amount in amounts if amount is not None), Decimal(0))


def _percent(rate: str) -> Decimal | None:
    """A plain percentage as a share; None for a rate with specific parts."""
    if rate == "Free":
        return Decimal(0)
    number = rate.removesuffix("%")
    plain = number != rate and number.replace(".", "", 1).isdigit()
    return Decimal(number) / 100 if plain else None


def a_duty_is_never_negative(line: Line, answer: Answer) -> None:
    """No row but a credit is below zero, and no line is."""
    for row in answer["headings"]:
        if row["kind"] != "credit" and row["duty"] is not None and Decimal(row["duty"]) < 0:
            raise _fail("a_duty_is_never_negative", f"{row['heading']} is {row['duty']}", line, answer)
    if answer["duty"] is not None and Decimal(answer["duty"]) < 0:
        raise _fail("a_duty_is_never_negative", f"the line owes {answer['duty']}", line, answer)


def the_rows_sum_to_the_duty(line: Line, answer: Answer) -> None:
    """The duty of the line is the sum of its rows; it is unknown only where a row is."""
    if answer.get("released_by"):
        return
    rows = answer["headings"]
    if answer["duty"] is None:
        if all(row["duty"] is not None for row in rows):
            raise _fail("the_rows_sum_to_the_duty", "the duty is unknown, and every row of it is known", line, answer)
        return
    total = _sum(row["duty"] for row in rows)
    if total != Decimal(answer["duty"]):
        raise _fail("the_rows_sum_to_the_duty", f"the rows sum to {total}, the line owes {answer['duty']}", line, answer)


def no_base_exceeds_the_value(line: Line, answer: Answer) -> None:
    """Nothing is charged on less than nothing, nor on more than the entered value."""
    value = Decimal(answer["value"])
    for row in answer["headings"]:
        if row["base_value"] is not None and not 0 <= Decimal(row["base_value"]) <= value:
            raise _fail("no_base_exceeds_the_value", f"{row['heading']} is charged on {row['base_value']} of {value}", line, answer)


def a_duty_is_its_rate_of_its_base(line: Line, answer: Answer) -> None:
    """A row with a plain percentage owes that share of its base, to the cent on each line of the split."""
    slack = CENT * len(answer["filing"]["lines"])
    for row in answer["headings"]:
        rate = _percent(row["rate"])
        if row["kind"] not in {"additional", "total"} or rate is None or row["duty"] is None:
            continue
        exact = rate * Decimal(row["base_value"])
        if abs(Decimal(row["duty"]) - exact) > slack:
            what = f"{row['heading']}: {row['rate']} of {row['base_value']} is {exact}, not {row['duty']}"
            raise _fail("a_duty_is_its_rate_of_its_base", what, line, answer)


def the_split_sums_to_the_value(line: Line, answer: Answer) -> None:
    """The lines to file sum to the entered value, and their duties to the rows that have a number to file."""
    if answer.get("released_by"):
        return
    splits = answer["filing"]["lines"]
    total = _sum(split["value"] for split in splits)
    if total != Decimal(answer["value"]):
        raise _fail("the_split_sums_to_the_value", f"the lines to file sum to {total} of {answer['value']}", line, answer)
    if answer["duty"] is None or any(row["kind"] in {"credit", "adcvd"} for row in answer["headings"]):
        return
    filed = _sum(number["duty"] for split in splits for number in split["numbers"])
    owed = _sum(row["duty"] for row in answer["headings"] if row["heading"])  # an announced duty may have no heading yet
    if filed != owed:
        raise _fail("the_split_sums_to_the_value", f"the lines to file owe {filed}, the line {owed}", line, answer)


def every_program_has_one_verdict(line: Line, answer: Answer, programs: Sequence[str] = ()) -> None:
    """Each program of the book is told once, with a sentence and its source. `programs`: their names, where the caller knows them."""
    told = [verdict["program"] for verdict in answer.get("programs", ())]
    wanted = list(programs) or list(dict.fromkeys(told))
    if sorted(told) != sorted(wanted) or not told:
        odd = [name for name, count in (Counter(told) - Counter(wanted) + (Counter(wanted) - Counter(told))).items() if count]
        raise _fail("every_program_has_one_verdict", f"missing, foreign or twice: {', '.join(odd) or 'no verdict at all'}", line, answer)
    for verdict in answer["programs"]:
        if not verdict["because"] or not (verdict["cites"] or verdict["verdict"] == "not_in_force"):
            raise _fail("every_program_has_one_verdict", f"{verdict['program']} gives no reason or source", line, answer)


def verdicts_agree_with_the_rows(line: Line, answer: Answer) -> None:
    """A program whose duty stands says that it applies; one that says so has a row."""
    if answer.get("released_by") or "programs" not in answer:
        return
    rows = {row["program"] for row in answer["headings"] if row["kind"] in _CHARGING}
    says = {verdict["program"] for verdict in answer["programs"] if verdict["verdict"] in {"applies", "prohibited"}}
    told = {verdict["program"] for verdict in answer["programs"]}
    filed = {row["program"] for row in answer["headings"]}
    if (rows & told) - says:
        raise _fail("verdicts_agree_with_the_rows", f"{min(rows - says)} charges, and does not say that it applies", line, answer)
    if says - filed:
        raise _fail("verdicts_agree_with_the_rows", f"{min(says - filed)} says that it applies, and files nothing", line, answer)


def every_row_names_its_law(line: Line, answer: Answer) -> None:
    """Each row has a sentence and a citation; each of chapter 99 the act that made its rate, and the day that act was published."""
    for row in answer["headings"]:
        if row["kind"] == "adcvd":
            continue
        missing = [name for name in ("says", "cites") if not row[name]]
        if row["kind"] not in _OUTSIDE | {"credit"}:
            missing += [name for name in ("instrument", "announced", "since") if not row.get(name)]
        if missing:
            raise _fail("every_row_names_its_law", f"{row['heading'] or row['program']} has no {' and no '.join(missing)}", line, answer)


def no_zero_is_silent(line: Line, answer: Answer) -> None:
    """What is not known is no zero: an unknown duty asks for what is missing, and a rate above zero on a base above zero owes something."""
    if answer["duty"] is None:
        asked = {fact["fact"] for fact in answer["assumptions"]} | {question["fact"] for question in answer["questions"]}
        if answer["range"]["high"] is not None or not (asked or answer["warnings"]):
            raise _fail("no_zero_is_silent", "the duty is unknown, and nothing says what is missing", line, answer)
    for row in answer["headings"]:
        rate = _percent(row["rate"])
        if row["kind"] in {"additional", "total"} and rate and row["duty"] is not None:
            owed = rate * Decimal(row["base_value"])
            if owed >= CENT and Decimal(row["duty"]) == 0:
                raise _fail("no_zero_is_silent", f"{row['heading']} owes {owed} and is zero", line, answer)
    base = answer["base"]
    rate = _percent(base["rate"])
    if rate and base["full_duty"] is not None and Decimal(base["full_duty"]) == 0 and rate * Decimal(base.get("dutiable_value", 0)) >= CENT:
        raise _fail("no_zero_is_silent", f"the base duty of {base['rate']} is zero", line, answer)


def the_range_holds_the_duty(line: Line, answer: Answer) -> None:
    """The lowest duty over all open facts is not above what is owed, the highest not below."""
    low, high, duty = answer["range"]["low"], answer["range"]["high"], answer["duty"]
    if answer.get("released_by") or duty is None:
        return
    if low is None or high is None or not Decimal(low) <= Decimal(duty) <= Decimal(high):
        raise _fail("the_range_holds_the_duty", f"{duty} is not within {low} to {high}", line, answer)


def nobody_is_asked_what_was_said(line: Line, answer: Answer) -> None:
    """A question is about a fact that nobody stated, its answers say what they change, and an assumption says why it was taken."""
    for question in answer["questions"]:
        stated = line.get(question["fact"])
        if stated is not None and not isinstance(stated, Mapping):  # of quantities, another unit may be asked for
            raise _fail("nobody_is_asked_what_was_said", f"{question['fact']} was stated, and is asked", line, answer)
        for option in question["answers"]:
            change = Decimal(option["duty"]) - Decimal(answer["duty"] or option["duty"])
            if answer["duty"] is not None and not answer.get("released_by") and change != Decimal(option["difference"]):
                what = f"{question['fact']} = {option['answer']}: the difference is {change}, not {option['difference']}"
                raise _fail("nobody_is_asked_what_was_said", what, line, answer)
    for assumption in answer["assumptions"]:
        if not assumption["because"]:
            raise _fail("nobody_is_asked_what_was_said", f"{assumption['fact']} was taken without a reason", line, answer)


def what_saves_lowers_the_duty(line: Line, answer: Answer) -> None:
    """A saving is above zero, and leads to the duty that it names; the largest stands first."""
    if answer["duty"] is None or answer.get("released_by"):
        return
    saved = [Decimal(saving["saves"]) for saving in answer["savings"]]
    if saved != sorted(saved, reverse=True) or any(amount <= 0 for amount in saved):
        raise _fail("what_saves_lowers_the_duty", f"savings of {', '.join(map(str, saved))}", line, answer)
    for saving, amount in zip(answer["savings"], saved, strict=True):
        if Decimal(answer["duty"]) - amount != Decimal(saving["duty"]):
            raise _fail("what_saves_lowers_the_duty", f"{saving['fact']} saves {amount}, and leads to {saving['duty']}", line, answer)


def the_goods_stand_last(line: Line, answer: Answer) -> None:
    """The number of chapters 1-97 is filed once, after every other; each row is of a kind that is known; no heading is filed twice."""
    if answer.get("released_by"):
        return
    kinds = [row["kind"] for row in answer["headings"]]
    if kinds.count("base") != 1 or kinds[-1] != "base" or set(kinds) - set(KINDS):
        raise _fail("the_goods_stand_last", f"the kinds of the rows are {', '.join(kinds)}", line, answer)
    twice = [
        pair
        for pair, count in Counter((row["heading"], row["program"]) for row in answer["headings"] if row["heading"]).items()
        if count > 1
    ]
    if twice and not any(row["kind"] == "adcvd" for row in answer["headings"]):
        raise _fail("the_goods_stand_last", f"{twice[0][0]} is filed twice", line, answer)


def a_ban_is_told(line: Line, answer: Answer) -> None:
    """A line that may not be entered says so at its top."""
    if any(row["kind"] == "prohibited" for row in answer["headings"]) != bool(answer.get("prohibited", False)):
        raise _fail("a_ban_is_told", "`prohibited` does not agree with the rows", line, answer)


def released_goods_owe_nothing(line: Line, answer: Answer) -> None:
    """Goods released without entry are charged by no heading, and the answer says what an entry would have owed, and what released them."""
    if not answer.get("released_by"):
        return
    if answer["headings"] or Decimal(answer["duty"]) != 0 or "otherwise" not in answer:
        raise _fail("released_goods_owe_nothing", f"released by {answer['released_by']}, and yet charged {answer['duty']}", line, answer)


def nothing_begins_after_the_entry(line: Line, answer: Answer) -> None:
    """No rate is charged before its first day; an act that came later than that day is told as reaching back."""
    for row in answer["headings"]:
        since, announced = row.get("since"), row.get("announced")
        if since and since > answer["entry_date"]:
            raise _fail("nothing_begins_after_the_entry", f"{row['heading']} begins on {since}", line, answer)
        if since and announced and (announced > since) != bool(row.get("retroactive")):
            raise _fail("nothing_begins_after_the_entry", f"{row['heading']}: announced {announced}, since {since}", line, answer)


def nothing_was_announced_later(line: Line, answer: Answer, known_on: str) -> None:
    """An answer as of a day names no act that was published after it."""
    for row in answer["headings"]:
        if row.get("announced", "") > known_on:
            what = f"{row['heading']} rests on {row['instrument']} of {row['announced']}, unknown on {known_on}"
            raise _fail("nothing_was_announced_later", what, line, answer)


LINE_INVARIANTS: Final[tuple[Callable[[Line, Answer], None], ...]] = (
    a_duty_is_never_negative,
    the_rows_sum_to_the_duty,
    no_base_exceeds_the_value,
    a_duty_is_its_rate_of_its_base,
    the_split_sums_to_the_value,
    every_program_has_one_verdict,
    verdicts_agree_with_the_rows,
    every_row_names_its_law,
    no_zero_is_silent,
    the_range_holds_the_duty,
    nobody_is_asked_what_was_said,
    what_saves_lowers_the_duty,
    the_goods_stand_last,
    a_ban_is_told,
    released_goods_owe_nothing,
    nothing_begins_after_the_entry,
)
"""Every invariant of one answer."""


def check_line(line: Line, answer: Answer) -> None:
    """Hold every invariant of one answer against it (asked for with `explain=full`). Raises InvariantError."""
    for invariant in LINE_INVARIANTS:
        invariant(line, answer)
