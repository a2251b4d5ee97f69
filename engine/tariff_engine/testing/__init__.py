"""The public test kit: lines that aim at the boundaries of the law, and the invariants that hold for every answer (docs/invariants.md).

    from hypothesis import given
    from tariff_engine.testing import Rulebook, boundary_lines, check_line

    RULEBOOK = Rulebook.installed()

    @given(line=boundary_lines(program="s232-wood"))
    def test_our_system(line):
        check_line(line, RULEBOOK.ask(line))

The strategies need Hypothesis: `pip install "tariff-engine[testing]"`. The invariants need nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tariff_engine.testing.asking import (
    ASKING,
    Ask,
    a_claim_never_raises_the_duty,
    an_answer_leads_where_it_said,
    an_unknown_name_is_refused,
    before_publication_nobody_knew,
    dots_do_not_matter,
    more_value_is_never_less_duty,
    the_order_of_facts_does_not_matter,
    the_same_question_has_one_answer,
    what_is_left_out_is_unknown,
)
from tariff_engine.testing.drawing import Space, random_line, space
from tariff_engine.testing.entry_invariants import a_refusal_says_what_to_mend, check_entry, the_entry_sums_its_lines
from tariff_engine.testing.invariants import LINE_INVARIANTS, check_line, every_program_has_one_verdict, nothing_was_announced_later
from tariff_engine.testing.problems import InvariantError
from tariff_engine.testing.rulebook import Rulebook

if TYPE_CHECKING:
    from tariff_engine.testing.hostile import hostile_lines
    from tariff_engine.testing.strategies import boundary_lines, entries, known_lines, lines

__all__ = [
    "ASKING",
    "LINE_INVARIANTS",
    "Ask",
    "InvariantError",
    "Rulebook",
    "Space",
    "a_claim_never_raises_the_duty",
    "a_refusal_says_what_to_mend",
    "an_answer_leads_where_it_said",
    "an_unknown_name_is_refused",
    "before_publication_nobody_knew",
    "boundary_lines",
    "check_entry",
    "check_line",
    "dots_do_not_matter",
    "entries",
    "every_program_has_one_verdict",
    "hostile_lines",
    "known_lines",
    "lines",
    "more_value_is_never_less_duty",
    "nothing_was_announced_later",
    "random_line",
    "space",
    "the_entry_sums_its_lines",
    "the_order_of_facts_does_not_matter",
    "the_same_question_has_one_answer",
    "what_is_left_out_is_unknown",
]


def __getattr__(name: str) -> Any:
    """Import the strategies only when one is asked for: the invariants serve where Hypothesis is not installed."""
    if name in {"boundary_lines", "entries", "known_lines", "lines"}:
        from tariff_engine.testing import strategies  # noqa: PLC0415  as said

        return getattr(strategies, name)
    if name == "hostile_lines":
        from tariff_engine.testing.hostile import hostile_lines  # noqa: PLC0415  as said

        return hostile_lines
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
