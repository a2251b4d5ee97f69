"""The reader of de_minimis.yaml: strict types that refuse what is wrong, and give what is right as the plain law of deminimis_law.py.

What the keys mean stands in docs/fees-and-de-minimis.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from tariff_engine import deminimis_law
from tariff_engine.deminimis_law import Entry, Method, Ruling, Subject
from tariff_engine.fee_law import Mode
from tariff_engine.fee_rules import FORMS as FEE_FORMS
from tariff_engine.fee_rules import Assume, Country, LawRow, NotModes, Prefix
from tariff_engine.notation.model import Instrument
from tariff_engine.notation.terms import Cites, Dollars, Name, Rate, Strict
from tariff_engine.strict_form import parse_model, plain

FORMS = {**FEE_FORMS, **vars(deminimis_law)}
"""The plain forms of the types of this module, by the names that both bear."""


class NotOrigins(Strict):
    """Every origin but these."""

    not_: Sequence[Country] = Field(alias="not")


class Bracket(Strict):
    """An amount an item while the effective rate is `below` a rate, or at most `up_to`; without either, for every rate."""

    below: Rate | None = None
    up_to: Rate | None = None
    per_item: Dollars


class Duty(Strict):
    """What mail pays: a rate on the value, an amount an item, or what the effective rate of some programs says of the one or the other."""

    ad_valorem: Rate | None = None
    per_item: Dollars | None = None
    effective_rate_of: Annotated[list[Name], Field(min_length=1)] | None = None
    brackets: list[Bracket] | None = None

    @model_validator(mode="after")
    def _one_way_to_pay(self) -> Self:
        if sum(way is not None for way in (self.ad_valorem, self.per_item, self.effective_rate_of)) != 1:
            raise ValueError("give exactly one of ad_valorem, per_item, effective_rate_of")
        if self.brackets is not None and (self.effective_rate_of is None or not self.brackets):
            raise ValueError("brackets need effective_rate_of and at least one bracket")
        if self.brackets and (self.brackets[-1].below is not None or self.brackets[-1].up_to is not None):
            raise ValueError("the last bracket takes every higher rate: give it neither below nor up_to")
        return self


class Row(LawRow):
    """One row of the decision table; all that is given must hold. `limit` and `over` are dollars at retail abroad, for the whole shipment."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+$")]
    subject: Subject
    origin: Sequence[Country] | NotOrigins | None = None
    export: Sequence[Country] | None = None
    mode: Sequence[Mode] | NotModes | None = None
    postal_method: Method | None = None
    hts: Sequence[Prefix] | None = None
    adcvd: bool = False
    quota: bool = False
    limit: Dollars | None = None
    over: Dollars | None = None
    alone: bool = False
    result: Ruling
    entry: Entry
    duty: Duty | None = None
    advice: str = ""
    assume: Assume | None = None

    @model_validator(mode="after")
    def _duty_is_for_mail(self) -> Self:
        if (self.result == "postal_duty") != (self.duty is not None):
            raise ValueError("a postal_duty, and no other result, says its `duty`")
        if self.subject == "over_limit" and self.over is None:
            raise ValueError("a row on over_limit says `over` how much")
        return self


class ValueBasis(Strict):
    """Which value is tested."""

    says: str
    cite: Cites


class DeMinimis(Strict):
    """de_minimis.yaml."""

    instruments: dict[Name, Instrument] = Field(default_factory=dict)
    value_basis: ValueBasis
    rows: list[Row]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        seen: set[str] = set()
        for row in self.rows:
            if row.id in seen:
                raise ValueError(f"row {row.id} stands twice")
            seen.add(row.id)
        return self


def parse_de_minimis(tree: object) -> deminimis_law.DeMinimis:
    """Return the law on de minimis shipments from de_minimis.yaml as plain data. Raises RulebookError: one line per defect."""
    law: deminimis_law.DeMinimis = plain(parse_model(DeMinimis, tree, "de_minimis.yaml"), FORMS)
    return law
