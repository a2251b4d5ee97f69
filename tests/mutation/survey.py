"""Makes a few hundred mistakes in the law, one at a time, and tells which proof caught each.

python -m tests.mutation.survey [COUNT] [SEED] [PROCESSES]       writes docs/mutation.md (400 mistakes take some ten minutes)
"""

from __future__ import annotations

import multiprocessing
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tests.mutation.equivalent import RULES, Equivalents
from tests.mutation.mutants import mutants, sample
from tests.mutation.proofs import PROOFS, Proofs

from tariff_engine.testing import Rulebook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.mutation.mutants import Mutant

PAGE = Path(__file__).parents[2] / "docs" / "mutation.md"
BEGIN, END = "<!-- survey: begin -->\n", "<!-- survey: end -->\n"
COUNT, SEED, JOBS = 400, 20281122, 2


class Survey:
    """Mistakes that are drawn, and the proofs; made once, before the processes that look at one mistake each are forked."""

    def __init__(self, count: int, seed: int) -> None:
        """Draw the mistakes and read the proofs."""
        rulebook = Rulebook.installed()
        self.drawn = sample(rulebook.book, count, seed, Equivalents(rulebook).rule)
        self.proofs = Proofs(rulebook)

    def look(self, number: int) -> str:
        """Return what caught a mistake."""
        return self.proofs.caught(self.drawn[number])


_made: list[Survey] = []


def _look(number: int) -> str:
    return _made[0].look(number)


def survey(count: int, seed: int, jobs: int) -> list[tuple[Mutant, str]]:
    """Return mistakes with the proof that caught each, empty where none did."""
    _made[:] = [Survey(count, seed)]
    found = []
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        for mutant, caught in zip(_made[0].drawn, pool.imap(_look, range(len(_made[0].drawn))), strict=True):
            found.append((mutant, caught))
            if not caught:
                sys.stdout.write(f"{len(found)}: {mutant.kind}: {mutant.where} survived\n")
            elif len(found) % 25 == 0:
                sys.stdout.write(f"{len(found)}\n")
            sys.stdout.flush()
    return found


def page(found: Sequence[tuple[Mutant, str]], seed: int) -> str:
    """Return the made part of docs/mutation.md."""
    by = Counter(caught for _, caught in found)
    killed = len(found) - by[""]
    kinds = sorted({mutant.kind for mutant, _ in found})
    equal = Equivalents(Rulebook.installed())
    rules = [(mutant.kind, equal.rule(mutant)) for mutant in mutants(equal.book)]
    every, same = Counter(kind for kind, rule in rules if not rule), Counter(rule for _, rule in rules if rule)
    lines = [f"{len(found)} of {sum(every.values()):,} mistakes (seed {seed}): {killed} caught, {killed / len(found):.1%}.", ""]
    lines += [f"Besides, {sum(same.values()):,} change no answer and are not drawn:", "", "| rule | mistakes |", "| --- | --- |"]
    lines += [*(f"| {rule}: {words} | {same[rule]:,} |" for rule, words in RULES.items()), ""]
    lines += ["| caught first by | mistakes |", "| --- | --- |"]
    lines += [f"| {name} | {by[name]} |" for name in PROOFS]
    lines += ["", "| kind | possible | made | caught |", "| --- | --- | --- | --- |"]
    for kind in kinds:
        mine = [caught for mutant, caught in found if mutant.kind == kind]
        lines.append(f"| {kind} | {every[kind]:,} | {len(mine)} | {len([one for one in mine if one])} |")
    lines += ["", "Survivors:", ""]
    lines += [f"- {mutant.kind}: {mutant.where}" for mutant, caught in found if not caught] or ["- none"]
    return BEGIN + "\n".join(lines) + "\n" + END


def survivors(text: str) -> set[str]:
    """Return the mistakes that the page says survive."""
    made = text.partition(BEGIN)[2].partition(END)[0].partition("Survivors")[2]
    return {line.partition(": ")[2].partition(" -- ")[0] for line in made.splitlines() if line.startswith("- ")}


def main() -> None:
    """Write the figures into the page."""
    given = [int(word) for word in sys.argv[1:]]
    count, seed, jobs = (given + [COUNT, SEED, JOBS][len(given) :])[:3]
    made = page(survey(count, seed, jobs), seed)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(before + made + rest.partition(END)[2], encoding="utf-8")
    sys.stdout.write(made)


if __name__ == "__main__":
    main()
