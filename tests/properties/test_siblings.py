"""What was asked before changes nothing: an evaluator that remembers says of a line what one that has met nothing says."""

from __future__ import annotations

import os
import random

from tests.law.chart import EVER, read_points
from tests.properties.siblings import siblings

from tariff_engine.agreement import compare
from tariff_engine.base import line_base
from tariff_engine.compiled.evaluate import CompiledEvaluator
from tariff_engine.engine import Knowledge
from tariff_engine.evaluate.derivation import Derivation
from tariff_engine.problems import LawConflictError, ProblemError

FEW = 80
LINES = FEW if os.environ.get("HYPOTHESIS_PROFILE", "default") == "default" else 1500
EACH = 8


def test_what_was_asked_before_changes_no_answer(knowledge: Knowledge) -> None:
    law, rng = knowledge.law, random.Random(1)
    contents = sorted({piece.fact for piece in law.compiled.slices})
    points = [point for point in read_points() if point.known == EVER]
    remembering, forgetful, compared = CompiledEvaluator(law.compiled), CompiledEvaluator(law.compiled), 0
    for point in rng.sample(points, LINES):
        for raw in siblings(point.line, contents, rng, EACH):
            try:
                line = knowledge.read(raw)
                base = line_base(law, line)
            except ProblemError:
                continue
            found: list[Derivation | None] = []
            forgetful.situations.forget()
            for evaluator in (remembering, forgetful):
                try:
                    found.append(evaluator.evaluate(line, base.base, base.column).derivation())
                except LawConflictError:
                    found.append(None)
            one, two = found
            assert (one is None) == (two is None), raw
            assert one is None or two is None or not compare(two, one), f"{raw}: {compare(two, one)}"
            compared += 1
    assert compared > LINES * EACH // 2
