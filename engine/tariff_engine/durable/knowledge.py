"""Answers whose duties durable-rules decided: the same door, readers and frame as `Knowledge`, another engine inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tariff_engine.agreement import compare_decided
from tariff_engine.compiled.outcomes import Outcomes
from tariff_engine.engine import Knowledge
from tariff_engine.problems import refuse

if TYPE_CHECKING:
    from tariff_engine.base import LineBase
    from tariff_engine.compiled.evaluated import Evaluated
    from tariff_engine.durable.worker import Worker
    from tariff_engine.evaluate.derivation import Derivation
    from tariff_engine.law import Law


class DurableKnowledge(Knowledge):
    """What is filed and owed is what durable-rules decided; words, assumptions and questions are the default engine's.

    Both must say the same of every provision of the book: an answer on which they differ is refused, never given.
    """

    def __init__(self, law: Law, worker: Worker) -> None:
        """Take the law, and a worker on the same rulebook."""
        super().__init__(law)
        self._worker = worker

    def derivation(self, evaluated: Evaluated, base: LineBase) -> Derivation:
        """Return the line as durable-rules decided it. Raises ProblemError `engines_disagree`, `durable_failed`; LawConflictError."""
        decided = self._worker.decide(evaluated.line, base.base, base.column, self.law.known_on)
        outcomes = Outcomes(evaluated, self.evaluator.situations)
        mine = [outcome for program in self.law.compiled.programs for outcome in outcomes.of_program(program.index)]
        found = evaluated.derivation()
        difference = compare_decided(found, mine, decided)
        if difference:
            raise refuse("engines_disagree", "--engine", difference, "report it with the line: one of the engines is wrong")
        decided.derivation.assumed = found.assumed
        return decided.derivation
