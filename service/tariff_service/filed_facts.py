"""Facts that the file does not state and that would make right what was filed: the question to ask, instead of an error that may be none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, islice, product
from typing import TYPE_CHECKING, Any

from tariff_engine.problems import LawConflictError, ProblemError
from tariff_service.filed_owed import Owed, owed
from tariff_service.special_claims import special_claims

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge
    from tariff_service.filed_comparing import Comparison

_MOST_PAIRS = 60
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Explained:
    """Facts under which the line is owed just as it was filed, and what it owes then."""

    facts: Facts
    owed: Owed


def open_questions(knowledge: Knowledge, compared: Comparison) -> Owed:
    """Return what the line owes with the questions that are open. Raises ProblemError and LawConflictError as an assessment does."""
    return owed(knowledge, compared.filed.line, inquire=True, why=False)


def explained(knowledge: Knowledge, compared: Comparison, asked: Mapping[str, Any]) -> Explained | None:
    """Return the fewest facts, of those that nobody stated, under which the line was filed right by a law; None where there are none."""
    line = compared.filed.line
    for facts in _candidates(knowledge, compared, asked):
        try:
            found = owed(knowledge, knowledge.reader.with_facts(line, facts), why=False)
        except (ProblemError, LawConflictError):
            continue
        if found.numbers.keys() and replace(compared, now=found).whole(found):
            return Explained(facts, found)
    return None


def _candidates(knowledge: Knowledge, compared: Comparison, asked: Mapping[str, Any]) -> Iterator[Facts]:
    """Yield facts to try, single ones first; amounts are those that the filed numbers carry."""
    answers = {question["fact"]: _answers(knowledge, compared, question) for question in asked["questions"]}
    for fact, values in answers.items():
        yield from ({fact: value} for value in values)
    yield from (claim.facts for claim in special_claims(knowledge, compared.filed.line))
    pairs = ({one: first, two: second} for one, two in combinations(answers, 2) for first, second in product(answers[one], answers[two]))
    yield from islice(pairs, _MOST_PAIRS)


def _answers(knowledge: Knowledge, compared: Comparison, question: Mapping[str, Any]) -> list[Any]:
    """Return the answers to try: those that change the duty, and for dollars the values that the filed numbers stand for."""
    fact, found = question["fact"], [option["answer"] for option in question["answers"]]
    spec = knowledge.law.facts.get(fact)
    if spec is None or fact == "quantity":
        return []
    if spec.type == "usd":
        line, filed = compared.filed.line, compared.filed
        amounts = [one.value for one in filed.others if one.value]
        for one in filed.others:
            right = compared.then.numbers.get(one.number)
            if right is not None and right.share and one.duty:
                amounts.append(round(one.duty / (right.share * 100)))
        found += [str(amount) for amount in dict.fromkeys(amounts) if 0 < amount < line.value and str(amount) not in found]
        found += [answer for answer in ("0",) if answer not in found]
    elif not found:
        found = list(knowledge.inquirer.representatives.get(fact, ()))[:6]
    return found
