"""The law book as rulesets: nothing of it is left out, and no ruleset asks for what durable-rules does badly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

import pytest
from tests.mutation.books import with_program

from tariff_engine.book import Book
from tariff_engine.durable.compile import CHOICE, MOST, ROWS, TAKING, Compiled, compile_rulesets
from tariff_engine.durable.conditions import accepts
from tariff_engine.notation.conditions import Test, When
from tariff_engine.problems import RulebookError


@cache
def _compiled(book: Book) -> Compiled:
    return compile_rulesets(book, date.max)


@pytest.fixture
def compiled(book: Book) -> Compiled:
    return _compiled(book)


def conditions(element: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield every comparison of a rule: how, with which property, against what."""
    for how, inside in element.items():
        if how in {"$and", "$or"}:
            for one in inside:
                yield from conditions(one)
        elif how.startswith("$"):
            yield from ((how, name, against) for name, against in inside.items())
        else:
            yield "=", how, inside


def test_every_provision_of_every_program_is_in_one_ruleset(book: Book, compiled: Compiled) -> None:
    found = Counter(node.id for ruleset in compiled.rulesets for node in ruleset.nodes)
    assert found == Counter(dict.fromkeys(book.nodes, 1))
    assert {ruleset.nodes[0].program.program for ruleset in compiled.rulesets} == {program.program for program in book.programs}
    assert max(len(ruleset.nodes) for ruleset in compiled.rulesets) <= MOST


def test_every_provision_can_stand_and_every_known_exception_and_relation_has_a_rule(book: Book, compiled: Compiled) -> None:
    meanings = {meaning for ruleset in compiled.rulesets for meaning in ruleset.meanings.values()}
    able = {meaning.about for meaning in meanings if meaning.kind in {"holds", "subject"}}
    assert able == set(book.nodes)
    known = [node.id for node in book.nodes.values() for unless in node.provision.unless if book.known(unless, date.max)]
    assert len({meaning for meaning in meanings if meaning.kind == "exception"}) == len(known)
    relations = {meaning.place for meaning in meanings if meaning.kind == "relation"}
    assert relations == {place for place, one in enumerate(book.relations.relations) if book.known(one, date.max)}


def test_facts_are_compared_with_short_constants_and_among_each_other_only_for_equality(compiled: Compiled) -> None:
    rulesets = [ruleset.rules for ruleset in compiled.rulesets]
    for rules in (*rulesets, TAKING, CHOICE, ROWS):
        for elements in rules.values():
            for element in elements:
                for inner in element.values():
                    for how, name, against in conditions(inner):
                        assert how == "=" or not isinstance(against, dict), (name, against)
                        assert isinstance(against, bool | int | str | dict)
                        assert len(str(against)) < 120


@pytest.mark.parametrize(
    ("taken", "test", "passes"),
    [
        (True, True, True),
        (False, True, False),
        (False, False, True),
        ("85", {"at_least": "85"}, True),
        ("84.9", {"at_least": "85"}, False),
        ("85", {"above": "85"}, False),
        ("85", {"above": "80", "below": "86"}, True),
        ("CN", {"in": ["CN", "RU"]}, True),
        ("CN", {"is": "RU"}, False),
        ("2025-04-16", {"before": date(2025, 4, 17)}, True),
        ("2025-04-16", {"from": date(2025, 4, 17)}, False),
    ],
)
def test_what_law_takes_for_an_unknown_fact_is_tested_as_if_it_were_stated(taken: Any, test: Any, passes: bool) -> None:
    assert accepts(taken, test if isinstance(test, bool) else Test.model_validate(test)) is passes


def test_a_case_outside_a_program_that_asks_for_other_duties_is_a_defect_of_the_rulebook(book: Book) -> None:
    place, program = next((place, one) for place, one in enumerate(book.programs) if one.outside)
    asks = When.model_validate({"subject_to": {"any": [f"program:{book.programs[0].program}"], "test": "owed"}})
    wrong = program.model_copy(update={"outside": [program.outside[0].model_copy(update={"when": asks})]})
    with pytest.raises(RulebookError, match="outside asks for other duties"):
        compile_rulesets(with_program(book, place, wrong), date.max)
