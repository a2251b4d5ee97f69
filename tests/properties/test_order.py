"""The order in which rules stand in their files means nothing: shuffled rulebooks charge the same."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tariff_engine.book import Book, Node
from tariff_engine.build import build_law
from tariff_engine.engine import Knowledge
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_engine.testing import Space, random_line
from tariff_rules import ROOT

LINES = 500


def shuffled(book: Book, rng: random.Random) -> Book:
    """Return the same law with programs, provisions, relations and references in another order."""
    programs = []
    for program in rng.sample(book.programs, len(book.programs)):
        provisions = rng.sample(program.provisions, len(program.provisions))
        programs.append(program.model_copy(update={"provisions": provisions}))
    nodes = {provision.id: Node(provision, program) for program in programs for provision in program.provisions}
    relations = book.relations.model_copy(update={"relations": rng.sample(book.relations.relations, len(book.relations.relations))})
    refs = {name: tuple(rng.sample(found, len(found))) for name, found in book.refs.items()}
    return replace(book, programs=programs, nodes=nodes, relations=relations, refs=refs)


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_rules_charge_the_same(seed: int, book: Book, knowledge: Knowledge, where: Space) -> None:
    rng = random.Random(seed)
    other = Knowledge(build_law(shuffled(book, rng), ROOT))
    for _ in range(LINES):
        raw = random_line(where, rng)
        try:
            one = knowledge.evaluate(knowledge.read(raw))[0].derivation()
        except (ProblemError, LawConflictError):
            continue
        two = other.evaluate(other.read(raw))[0].derivation()
        assert sorted((r.heading, r.program, r.base, r.duty) for r in one.rows) == sorted(
            (r.heading, r.program, r.base, r.duty) for r in two.rows
        )
        assert (one.duty, one.base_duty, one.prohibited) == (two.duty, two.base_duty, two.prohibited)
