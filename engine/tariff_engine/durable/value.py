"""The value under the provisions: what a base reaches, what is left, what is owed. Arithmetic of dollars; it decides no condition."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from tariff_engine.evaluate.derivation import Outcome, Verdict
from tariff_engine.evaluate.parts import Parts
from tariff_engine.notation.program import Piece

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node
    from tariff_engine.evaluate.charge import Base
    from tariff_engine.facts import Line
    from tariff_engine.notation.program import Step


class Value:
    """The parts of one line's value."""

    def __init__(self, book: Book, line: Line, base: Base, cuts: Parts) -> None:
        """Cut the value into the parts that the law book can tell apart."""
        self.book, self.line, self.base = book, line, base
        self.cuts = cuts
        self.amounts = self.cuts.cut(line)
        self.everything = frozenset(self.amounts)

    def reach(self, base: str | Piece) -> frozenset[str]:
        """Return the parts that a base means; a slice that nobody stated is all of the value or nothing, as the law takes it."""
        if isinstance(base, Piece):
            slice_ = self.cuts.of_slice(base.part or base.less or "", base.cap) & self.everything
            return slice_ if base.part else self.everything - slice_
        if base in {"value", "whole"}:
            return self.everything
        if base in self.line.content:
            return self.cuts.of_slice(base)
        rule = self.book.slices[base]
        silent = rule.unknown == "none" or any(self.line.content.get(name, 0) > 0 for name in self.book.contents(rule.silent_if))
        return frozenset() if silent else self.everything

    def frame(self, node: Node) -> int | None:
        """Return the dollars that chapter 98 leaves for a program; None where it leaves all."""
        rule = node.program.rule98(self.line.day)
        if self.base.bond:
            return 0
        if not self.base.chapter98 or rule is None:
            return None
        kept = next((how for prefix, how in rule.keeps.items() if self.base.chapter98.startswith(prefix)), "")
        if not kept:
            freely = rule.terms is None or (rule.terms == "part" and self.base.freed)
            kept = "nothing" if rule.exempt else "value" if freely else "part"
        return {"nothing": 0, "value": None}.get(kept, self.base.value)

    def amount(self, parts: frozenset[str], frame: int | None = None) -> int:
        """Return the dollars of some parts, at most what chapter 98 leaves."""
        whole = sum(self.amounts[part] for part in parts)
        return whole if frame is None else min(whole, frame)

    def settle(self, result: Outcome, left: frozenset[str], step: Step, frame: int | None) -> None:
        """Fill in what a provision still reaches, what it takes from others, and whether anything is left of it."""
        result.would_base = self.amount(result.reach, frame)
        result.parts, result.base = left, self.amount(left, frame)
        result.framed = frame is not None and self.amount(left) > frame
        result.covers = left if step.covers is None else self.reach(step.covers)
        if result.reach and not left:
            result.verdict = Verdict.DISPLACED
        elif result.is_duty and not result.forbids and not result.base and self.line.value:
            result.verdict = Verdict.NOTHING

    def cost(self, outcome: Outcome) -> Fraction:
        """Return the additional duty of a provision in dollars."""
        return outcome.extra(self.base.ave) * outcome.base

    def owed(self, outcome: Outcome) -> bool:
        """Whether more than 0% is owed under a provision."""
        rate = outcome.in_lieu if outcome.in_lieu is not None else outcome.extra(self.base.ave)
        return outcome.is_duty and rate * outcome.base > 0
