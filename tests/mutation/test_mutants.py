"""A sample of mistakes in the law, each of which the proofs must catch; docs/mutation.md tells of a few hundred.

By default one line in five is asked whether a change that is said to change no answer does: the long profiles ask all of them, about more changes.
`HYPOTHESIS_PROFILE=ci` makes more of them; `python -m tests.mutation.survey` makes all that the page tells of.
"""

from __future__ import annotations

import os

import pytest
from tests.mutation.equivalent import RULES, Equivalents
from tests.mutation.mutants import Mutant, mutants, sample
from tests.mutation.proofs import PROOFS, Proofs
from tests.mutation.survey import PAGE, SEED, survivors

from tariff_engine.testing import Rulebook

FEW = 20
COUNT = FEW if os.environ.get("HYPOTHESIS_PROFILE", "default") == "default" else 120
EQUAL = 1 if COUNT == FEW else 6  # of each rule
DEAR = {"code": "no other number"}  # kinds that are not read on once they gave enough mistakes of a rule
if COUNT == FEW:
    DEAR["relation"] = "all or nothing"
EVERY = 5 if COUNT == FEW else 1  # lines, of which one is asked what it owes by a book that is said to be equal


@pytest.fixture(scope="module")
def proofs() -> Proofs:
    return Proofs(Rulebook.installed())


def test_the_proofs_find_nothing_wrong_with_the_law_as_it_is(proofs: Proofs) -> None:
    programs = ("ieepa-canada", "s232-wood") if COUNT == FEW else Rulebook.installed().programs
    assert proofs.caught(Mutant("none", "nothing", programs, lambda book: book)) == ""


def test_a_mistake_in_the_law_is_caught_or_is_known_to_survive(proofs: Proofs) -> None:
    known = survivors(PAGE.read_text(encoding="utf-8"))
    rulebook = Rulebook.installed()
    tried = [mutant for mutant in sample(rulebook.book, COUNT, SEED, Equivalents(rulebook).rule) if mutant.where not in known]
    assert tried
    assert [mutant.where for mutant in tried if not proofs.caught(mutant)] == []


def test_every_kind_of_mistake_can_be_made_and_the_sample_holds_them_all() -> None:
    book = Rulebook.installed().book
    kinds = {mutant.kind for mutant in mutants(book)}
    assert {mutant.kind for mutant in sample(book, len(kinds), SEED)} == kinds
    assert len(kinds) > 15
    assert len(PROOFS) == 5


def test_what_is_said_to_change_no_answer_is_noticed_by_no_proof(proofs: Proofs) -> None:
    rulebook = Rulebook.installed()
    equal, found = Equivalents(rulebook), dict[str, list[Mutant]]()
    for mutant in mutants(rulebook.book):
        if len(found.get(DEAR.get(mutant.kind, "none"), ())) < EQUAL:
            found.setdefault(equal.rule(mutant), []).append(mutant)
        if EQUAL == 1 and found.keys() >= set(RULES):
            break  # one of each is found: the rest of the lists would be read for nothing
    assert set(found) - {""} == set(RULES)
    tried = [mutant for rule in RULES for mutant in found[rule][:: max(1, len(found[rule]) // EQUAL)][:EQUAL]]
    assert [mutant.where for mutant in tried if proofs.owes_otherwise(mutant, EVERY)] == []
