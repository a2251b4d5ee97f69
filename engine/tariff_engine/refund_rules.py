"""The reader of refunds.yaml: strict types that refuse what is wrong, and give what is right as the plain law of refund_law.py.

What the keys mean stands in docs/notation.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tariff_engine import refund_law
from tariff_engine.notation.program import Confidence
from tariff_engine.notation.terms import Cites, Dated, Name, Strict
from tariff_engine.refund_law import EntryFactType, Served, WindowKind
from tariff_engine.strict_form import parse_model, plain

Says = Annotated[str, Field(min_length=10, max_length=240)]
FactName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


class EntryFact(Strict):
    """A fact of an entry that only refunds ask for; `headers` are names of columns under which brokers keep it.

    `form` is the regular expression of a code. A day that is stated `implies` that a bool fact is true; a day after the claim is taken for the fact `if_later`.
    """

    type: EntryFactType
    question: str = Field(min_length=10)
    headers: Annotated[Sequence[str], Field(min_length=1)]
    form: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    implies: FactName | None = None
    if_later: FactName | None = None

    @model_validator(mode="after")
    def _of_its_type(self) -> Self:
        if self.form is not None and self.type != "code":
            raise ValueError("a form belongs to a code")
        if self.form is not None and not _compiles(self.form):
            raise ValueError("the form is no regular expression")
        if self.type != "date" and (self.implies or self.if_later):
            raise ValueError("implies and if_later belong to a day")
        return self


class Sentence(Strict):
    """A sentence with its sources."""

    says: Says
    cite: Cites


class Event(Dated):
    """What happened in the process on the day `from`."""

    from_: date = Field(alias="from")
    says: Says
    cite: Cites
    confidence: Confidence | None = None


class Process(Strict):
    """Where refunds are claimed, and what is known of it up to `known_until`; `open` are questions that no source answers."""

    name: str = Field(min_length=2, max_length=40)
    title: str = Field(min_length=4)
    where: str = Field(min_length=10)
    known_until: date
    history: Annotated[Sequence[Event], Field(min_length=1)]
    open: Sequence[Says] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if any(two.from_ < one.from_ for one, two in pairwise(self.history)):
            raise ValueError("write the history in the order of its days")
        if self.history[-1].from_ > self.known_until:
            raise ValueError(f"known_until {self.known_until} lies before the last event of the history, {self.history[-1].from_}")
        return self


class Test(Strict):
    """A test on a fact of an entry; `days_past`: the day lies more than so many days before the claim."""

    in_: Annotated[Sequence[str], Field(min_length=1)] | None = Field(default=None, alias="in")
    not_in: Annotated[Sequence[str], Field(min_length=1)] | None = None
    days_past: Annotated[int, Field(ge=0, le=3660)] | None = None

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        if sum(test is not None for test in (self.in_, self.not_in, self.days_past)) != 1:
            raise ValueError("give exactly one of in, not_in, days_past")
        return self


class Check(Dated):
    """A known reason for which the process does not take an entry: every test of `when` holds. `from`, `until` are days of the claim."""

    check: Name
    says: Says
    when: Annotated[dict[FactName, bool | Test], Field(min_length=1)]
    cite: Cites


class Term(Strict):
    """So many `days` or `years` `after`, or `before`, a day that the user states."""

    days: Annotated[int, Field(ge=1, le=36600)] | None = None
    years: Annotated[int, Field(ge=1, le=100)] | None = None
    after: FactName | None = None
    before: FactName | None = None

    @model_validator(mode="after")
    def _one_term(self) -> Self:
        if (self.days is None) == (self.years is None):
            raise ValueError("give exactly one of days, years")
        if (self.after is None) == (self.before is None):
            raise ValueError("give exactly one of after, before")
        return self


class Closed(Strict):
    """From when on the way is closed for this action."""

    from_: date = Field(alias="from")
    says: Says
    cite: Cites


class Window(Strict):
    """A span in which something can be done (`deadline`) or is to be expected (`expected`); the first of its `ends` ends it."""

    window: Name
    title: str = Field(min_length=4, max_length=80)
    kind: WindowKind
    says: Says
    begun: FactName | None = None
    ends: Annotated[Sequence[Term], Field(min_length=1)]
    over_by: FactName | None = None
    closed: Closed | None = None
    cite: Cites
    confidence: Confidence | None = None


class Correction(Window):
    """A window for what an audit of filed entries finds: whether it serves duties overpaid, underpaid, or both."""

    serves: Annotated[Sequence[Served], Field(min_length=1)]


class ClaimFile(Strict):
    """The file that the process takes: one `column` of entry numbers, at most `most` in a file, written `dashed` or `plain`."""

    name: Name
    column: str = Field(min_length=1, max_length=60)
    most: Annotated[int, Field(ge=1, le=1_000_000)]
    number: Literal["dashed", "plain"]
    cite: Cites


class Action(Dated):
    """What can be claimed back for entries of [from, until): what the `programs` charged, by the law without them."""

    from_: date = Field(alias="from")
    until: date
    action: Name
    title: str = Field(min_length=4, max_length=120)
    says: Says
    cite: Cites
    programs: Annotated[Sequence[Name], Field(min_length=1)]
    interest: Sentence
    revives: Sentence
    process: Process
    needs: Sequence[Sentence] = ()
    checks: Sequence[Check] = ()
    windows: Sequence[Window] = ()
    file: ClaimFile | None = None


class Refunds(Strict):
    """refunds.yaml."""

    facts: dict[FactName, EntryFact] = Field(default_factory=dict)
    actions: list[Action]
    corrections: list[Correction] = Field(default_factory=list)


def parse_refunds(tree: object) -> refund_law.Refunds:
    """Return the law on refunds from refunds.yaml as plain data. Raises RulebookError: one line per defect."""
    law: refund_law.Refunds = plain(parse_model(Refunds, tree, "refunds.yaml"), vars(refund_law))
    return law
