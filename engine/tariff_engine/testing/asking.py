"""What holds between the answers to two questions: the same asked twice, said otherwise, with more value, with a claim, a day earlier.

Each function takes a way to ask (`Ask`) and a line; it asks as often as it needs. A line that is refused is no answer: nothing is held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Protocol

from tariff_engine.testing.invariants import Answer, Line, nothing_was_announced_later
from tariff_engine.testing.problems import InvariantError


class Ask(Protocol):
    """A way to ask: by HTTP, or in the same process. It returns the answer on the line, or `{"problem": ...}` where it was refused."""

    def __call__(self, line: Line, *, known_on: str | None = None) -> Answer:
        """Return the answer on a line as of a day; no day means everything known."""
        ...


def _told(answer: Answer) -> bool:
    return "problem" not in answer


def _differs(name: str, what: str, line: Line, one: Answer, two: Answer) -> None:
    changed = sorted(key for key in {*one, *two} if one.get(key) != two.get(key))
    if changed:
        raise InvariantError(name, f"{what}; {', '.join(changed)} differ", line, two.get("headings", ()))


def the_same_question_has_one_answer(ask: Ask, line: Line) -> None:
    """Asked twice, the answer is the same to the last character: nothing in it depends on a clock or on chance."""
    _differs("the_same_question_has_one_answer", "two answers to one question", line, ask(line), ask(dict(line)))


def the_order_of_facts_does_not_matter(ask: Ask, line: Line) -> None:
    """Facts may be sent in any order."""
    _differs("the_order_of_facts_does_not_matter", "sent in reverse", line, ask(line), ask(dict(reversed(list(line.items())))))


def dots_do_not_matter(ask: Ask, line: Line) -> None:
    """An HTS number is the same with and without dots."""
    digits = str(line["hts"]).replace(".", "")
    dotted = ".".join(part for part in (digits[:4], digits[4:6], digits[6:8], digits[8:]) if part)
    _differs("dots_do_not_matter", "another answer to a number with dots", line, ask({**line, "hts": digits}), ask({**line, "hts": dotted}))


def what_is_left_out_is_unknown(ask: Ask, line: Line) -> None:
    """A fact that is null is one that was left out."""
    kept = {key: value for key, value in line.items() if value is not None}
    _differs(
        "what_is_left_out_is_unknown",
        "null is not as left out",
        line,
        ask(kept),
        ask({"spi": None, "quantity": None, "loaded_date": None, **line}),
    )


def an_unknown_name_is_refused(ask: Ask, line: Line) -> None:
    """A fact that the dictionary does not know is refused with a problem that names it, never passed over."""
    problem = ask({**line, "orgin_of_goods": "x"}).get("problem")
    if problem is None or "orgin_of_goods" not in {one["field"] for one in (problem, *problem.get("also", ()))}:
        raise InvariantError("an_unknown_name_is_refused", "a name that is no fact was accepted", line)


def more_value_is_never_less_duty(ask: Ask, line: Line, dollars: Iterable[str]) -> None:
    """Twice the value owes at least as much, where every rate is a plain percentage and no other amount in dollars is stated.

    `dollars` are the facts that are amounts (`Rulebook.dollars`). Goods that de minimis or mail releases are outside: there value decides.
    """
    if any(line.get(name) is not None for name in dollars if name != "value"):
        return
    one, two = ask(line), ask({**line, "value": str(Decimal(str(line["value"])) * 2)})
    if not _told(one) or not _told(two) or one["duty"] is None or two["duty"] is None or one.get("released_by") or two.get("released_by"):
        return
    plain = all(row["rate"] == "Free" or row["rate"].removesuffix("%").replace(".", "", 1).isdigit() for row in two["headings"])
    if plain and Decimal(two["duty"]) < Decimal(one["duty"]):
        what = f"{one['duty']} on {one['value']}, {two['duty']} on {two['value']}"
        raise InvariantError("more_value_is_never_less_duty", what, line, two["headings"])


def a_claim_never_raises_the_duty(ask: Ask, line: Line, claims: Iterable[str]) -> None:
    """A claim that the line makes does not make it dearer than without the claim. `claims` are the facts that claim (`Rulebook.claims`).

    Outside are a heading that is claimed and itself charges (it relieves of a quota, not of a duty), and a claim that relieves of one duty so
    that another, which that one shut out, comes back: a program then charges that did not without the claim.
    """
    made = [name for name in claims if line.get(name) not in (None, False, [])]
    if not made:
        return
    whole = ask(line)
    for name in made:
        without = ask({key: value for key, value in line.items() if key != name})
        if not _told(whole) or not _told(without) or whole["duty"] is None or without["duty"] is None:
            continue
        if not _charging(whole) <= _charging(without):
            continue
        if Decimal(whole["duty"]) > Decimal(without["duty"]):
            what = f"{name} = {line[name]}: {whole['duty']}, without it {without['duty']}"
            raise InvariantError("a_claim_never_raises_the_duty", what, line, whole["headings"])


def _charging(answer: Answer) -> set[str]:
    return {row["program"] for row in answer["headings"] if row["kind"] in {"additional", "total"}}


def before_publication_nobody_knew(ask: Ask, line: Line) -> None:
    """As of the day before an act was published, the answer does not rest on it; as of that day, it may."""
    today = ask(line)
    if not _told(today):
        return
    announced = sorted({row["announced"] for row in today["headings"] if row.get("announced")})
    for day in announced[-2:]:
        before = (date.fromisoformat(day) - timedelta(days=1)).isoformat()
        for known_on in (before, day):
            earlier = ask(line, known_on=known_on)
            if _told(earlier):
                nothing_was_announced_later(line, earlier, known_on)


def an_answer_leads_where_it_said(ask: Ask, line: Line, most: int = 3) -> None:
    """Stating one of the answers that a question offers leads to the duty that the question announced, and the question is gone."""
    first = ask(line)
    if not _told(first) or first["duty"] is None or first.get("released_by"):
        return
    for question in first["questions"][:most]:
        for option in question["answers"][:most]:
            then = ask({**line, question["fact"]: option["answer"]})
            if not _told(then) or then.get("released_by"):
                continue
            if then["duty"] != option["duty"] or question["fact"] in {other["fact"] for other in then["questions"]}:
                what = f"{question['fact']} = {option['answer']} was to owe {option['duty']}, and owes {then['duty']}"
                raise InvariantError("an_answer_leads_where_it_said", what, line, then["headings"])


ASKING: tuple[Callable[[Ask, Mapping[str, Any]], None], ...] = (
    the_same_question_has_one_answer,
    the_order_of_facts_does_not_matter,
    dots_do_not_matter,
    what_is_left_out_is_unknown,
    an_unknown_name_is_refused,
    before_publication_nobody_knew,
    an_answer_leads_where_it_said,
)
"""The invariants between answers that need nothing but a way to ask."""
