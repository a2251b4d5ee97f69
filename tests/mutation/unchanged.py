"""Mistakes in the engine that change no answer, each with the reason; the survey leaves them out.

One is named by module, function, what is changed, and the words of the line on which it stands: where the source changes, the test of this table says so.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.mutation.engine_mutants import Slip

_EARLY = "the first day of the calendar is no other bound than none: no book begins there"
_KEY = "only a part of the key under which plans are remembered, and still another than that of other lines"
UNCHANGED: dict[tuple[str, str, str, str], str] = {
    ("compiled.compile", "_Compiler.run", "derived.setdefault(fact.ratio[0], []).append(name)", "0 becomes 1"): (
        "a share is known where both of its amounts are, so either of them may call for it"
    ),
    ("compiled.compile", "_Compiler._dates", "return (self._bound(what.from_)", "0 becomes 1"): _EARLY,
    ("compiled.compile", "_Compiler._members", "found.append((member, 0, FOREVER))", "0 becomes 1"): _EARLY,
    ("compiled.compile", "_Compiler._members", "self._bound(member.from_) if member.from_ else 0,", "0 becomes 1"): _EARLY,
    ("compiled.conditions", "ConditionCompiler.node", "start = self.bound(when.entered.from_)", "0 becomes 1"): _EARLY,
    ("compiled.evaluate", "CompiledEvaluator.__init__", "self._only_rest = 1 << self._rest", "1 becomes 2"): _KEY,
    ("compiled.evaluate", "CompiledEvaluator.__init__", "self._absent = [-1] * self._rest", "1 becomes 2"): (
        "a part that is not present has an amount below 0, whichever"
    ),
    (
        "compiled.evaluate",
        "CompiledEvaluator._keep",
        "self._plans += 1",
        "1 becomes 2",
    ): "what is remembered is let go of sooner, and made again",
}


@cache
def _source(module: str) -> tuple[str, ...]:
    return tuple(Path(str(import_module(module).__file__)).read_text(encoding="utf-8").splitlines())


def reason(slip: Slip) -> str:
    """Return why a mistake changes no answer; empty where it may."""
    here = _source(slip.module)[slip.line - 1].strip() if slip.line else ""
    mine = (slip.module.removeprefix("tariff_engine."), slip.function, slip.what)
    return next((why for (*place, line, what), why in UNCHANGED.items() if (*place, what) == mine and here.startswith(line)), "")
