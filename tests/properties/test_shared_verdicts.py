"""Verdicts on programs that a situation leaves nothing of are shared among days; they say what verdicts made anew would say."""

from __future__ import annotations

import random

from tariff_engine.engine import Knowledge
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_engine.testing import Rulebook, random_line, space


def test_a_shared_verdict_says_what_one_made_for_the_line_alone_says() -> None:
    law = Rulebook.installed().knowledge.law
    shared, where, rng = Knowledge(law), space(Rulebook.installed().knowledge), random.Random(3)
    alone = Knowledge(law)
    told = 0
    while told < 150:
        raw = random_line(where, rng)
        try:
            one, other = (known.evaluate(known.read(raw))[0] for known in (shared, alone))
        except (ProblemError, LawConflictError):
            continue
        alone._barren.clear()  # noqa: SLF001  so that nothing is shared
        other.plan.page = None
        assert shared.verdicts(one).rows == alone.verdicts(other).rows
        told += 1
