"""The language of rate texts: what the schedule prints in a rate column, as typed terms and as exact dollars.

A rate text of chapters 1-97 is "Free", a sum of terms ("4.4¢/kg + 8%", "51¢ each + 6.25% on the case"), the sugar formula by degrees of
polarization, or a reference to the rate of something else. Nothing is guessed: a text outside this language is refused
(`rate_not_understood`), a reference is refused by name when dollars are asked of it (`rate_by_reference`), and a quantity or part value that
the filer did not send is named in `Missing`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final, TypeAlias

from tariff_engine.problems import ProblemError, refuse
from tariff_engine.units import BASES, PARTS, UNITS, billed_quantity, part_value, quantity_of

_LONGEST: Final = 600  # the longest rate text of the schedule has under 200 characters
_MOVEMENT_DUTY: Final = "complete_movement_duty"
_CAP: Final = ", but if consisting in part of a plate or a set of plates the total duty shall not exceed the duty for the complete movement"
# What the filer sends instead of a rate that stands elsewhere.
_REFERENCES: Final[dict[str, str]] = {
    "each_garment": "enter each garment of the ensemble on its own line under the number it would have alone",
    "natural_juice": "send the number of the natural juice that the concentrate yields, and its duty",
    "parent_article": "send the number of the article of which this is a part or accessory",
    "set_highest_rate": "send the number of the article of the set that has the highest rate of duty",
    "complete_movement": "send the number of the complete, assembled movement",
    "each_article": "enter each article on its own line under the number it would have without this subheading",
    "additional_us_note": "read the additional U.S. note of the chapter: say whether it is embroidery in the piece, and send the rate of the fabric without it",
    "see_heading": "file the heading that the special column names and claim its quota; without it the general rate is due",
}


@dataclass(frozen=True, slots=True)
class AdValorem:
    """A percentage of the line's value, or of the value of a named part of the article. `percent` 13/2 is 6.5%."""

    percent: Fraction
    part: str | None = None


@dataclass(frozen=True, slots=True)
class Specific:
    """Dollars per unit of quantity, perhaps of a basis such as drained weight, perhaps only for what exceeds `over` per article."""

    dollars: Fraction
    unit: str
    basis: str | None = None
    over: int = 0

    @property
    def quantity(self) -> str:
        """The name of the quantity to send: the unit, with its basis if it has one ("kg", "kg_drained_weight")."""
        return f"{self.unit}_{self.basis}" if self.basis else self.unit


@dataclass(frozen=True, slots=True)
class SugarDegree:
    """Dollars per kg at `degrees`, less `step` for each degree (and fraction in proportion) under it, not below `floor`."""

    base: Fraction
    step: Fraction
    degrees: int
    floor: Fraction


@dataclass(frozen=True, slots=True)
class Reference:
    """The rate of something else. `kind` says of what, `text` is the rate column as printed."""

    kind: str
    text: str


Term: TypeAlias = AdValorem | Specific | SugarDegree | Reference


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate of duty: the sum of its terms, none being free. `capped`: not above the duty of the complete movement if it has plates.

    `ad_valorem` is the rate as (numerator, denominator) of the value when it is free or a plain percentage, else None: "6.5%" is (13, 200).
    `quantities` and `parts` name what its duty is computed from: quantities of the line, and values of parts of the article.
    """

    terms: tuple[Term, ...] = ()
    capped: bool = False
    under_bond: bool = False
    ad_valorem: tuple[int, int] | None = field(init=False, compare=False, default=None)
    quantities: frozenset[str] = field(init=False, compare=False, repr=False, default=frozenset())
    parts: frozenset[str] = field(init=False, compare=False, repr=False, default=frozenset())

    def __post_init__(self) -> None:
        """Derive once what callers on the fast path ask for."""
        plain = [term.percent for term in self.terms if isinstance(term, AdValorem) and term.part is None]
        if len(plain) == len(self.terms) and not self.capped:
            share = sum(plain, Fraction(0)) / 100
            object.__setattr__(self, "ad_valorem", (share.numerator, share.denominator))
        names = {"plate"} if self.capped else set()
        for term in self.terms:
            if isinstance(term, Specific):
                names |= {term.quantity, "each"} if term.over else {term.quantity}
            elif isinstance(term, SugarDegree):
                names |= {"kg", "degree"}
        object.__setattr__(self, "quantities", frozenset(names))
        object.__setattr__(self, "parts", frozenset(term.part for term in self.terms if isinstance(term, AdValorem) and term.part))

    @property
    def reference(self) -> Reference | None:
        """The reference, if the rate stands elsewhere."""
        return next((term for term in self.terms if isinstance(term, Reference)), None)


@dataclass(frozen=True, slots=True)
class Missing:
    """What the filer has to send before there is a duty: names for `quantity` (units) and for the values of parts."""

    quantities: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Both together."""
        return self.quantities | self.parts


Duty: TypeAlias = Fraction | Missing


def _squeeze(text: str) -> str:
    return "".join(text.split()).lower()


_NUMBER: Final = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)"
_PERCENT: Final = re.compile(rf"(?:{_NUMBER}|([0-9]{{1,4}})_([0-9]{{1,4}})/([0-9]{{1,4}}))%/?")
_AMOUNT: Final = re.compile(rf"(?:\${_NUMBER}|{_NUMBER}(?:¢|cents?))")
_OVER: Final = re.compile(r"over([0-9]{1,3})$")
_SUGAR: Final = re.compile(
    rf"{_NUMBER}(?:¢|cents)/kgless{_NUMBER}(?:¢|cents)/kgforeachdegreeunder([0-9]{{1,3}})degrees"
    rf"\(andfractionsofadegreeinproportion\)butnotless(?:than)?{_NUMBER}(?:¢|cents)/kg"
)
_REFERENCE: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("each_garment", r"therateapplicablet[op]ea[a-z]{1,2}garmentinthe(?:inthe)?ensembleif(?:separatelyentered|enteredseparately)"),
        ("natural_juice", r"therateapplicabletothenaturaljuiceinheading[0-9]{4}"),
        ("parent_article", r"therateapplicabletothearticleofwhichitisan?(?:partor)?accessory"),
        ("set_highest_rate", r"therateofdutyapplicabletothatarticleinthesetsubjecttothehighestrateofduty"),
        ("complete_movement", r"therateapplicabletothecomplete,assembled(?:movement)?"),
        ("each_article", r"therateapplicable,?toeacharticleintheabsenceofthissubheading"),
        ("additional_us_note", r"seeadditionalu\.s\.note[0-9]{1,2}"),
        ("see_heading", r"see[0-9.,;\-]{1,200}"),
    )
)
_TIDY: Final = ((re.compile(r"-\s+"), ""), (re.compile(r"([0-9]{1,4})\s+([0-9]{1,4}/[0-9]{1,4}\s*%)"), r"\1_\2"))
_SPLIT_NUMBER: Final = re.compile(r"[0-9]\s+[.0-9]")
_UNIT_TAILS: Final = {_squeeze(unit.prints): name for name, unit in UNITS.items()} | {
    "/1,000": "thousand",
    "/thousand": "thousand",
    "/1,000pins": "thousand",
    "/lin.m": "m",
    "/pf.literonethylalcoholcontent": "pf_liter",
}
_BASIS_TAILS: Final = {_squeeze(prints): name for name, (prints, _) in BASES.items()} | {"ondrainedweght": "drained_weight"}
_PART_TAILS: Final = {_squeeze(prints): name for name, (prints, _) in PARTS.items()} | {"oncaseandstrap,bandorbracelet": "case_and_strap"}


def _not_understood(text: str) -> ProblemError:
    shown = " ".join(str(text)[:120].split())
    return refuse(
        "rate_not_understood",
        "hts",
        f"the rate text {shown!r} is outside the language of rates",
        "state the duty of this line by other means and report the text",
    )


def _term(text: str, whole: str) -> Term:
    """Read one squeezed term of a sum."""
    if found := _PERCENT.match(text):
        plain, number, top, bottom = found.groups()
        if bottom is not None and not int(bottom):
            raise _not_understood(whole)
        percent = Fraction(plain) if plain else int(number) + Fraction(int(top), int(bottom))
        tail = text[found.end() :]
        if tail and tail not in _PART_TAILS:
            raise _not_understood(whole)
        return AdValorem(percent, _PART_TAILS.get(tail))
    if found := _AMOUNT.match(text):
        dollars, small = found.groups()
        amount = Fraction(dollars) if dollars else Fraction(small) / 100
        tail, over = text[found.end() :], 0
        if limit := _OVER.search(tail):
            tail, over = tail[: limit.start()], int(limit.group(1))
        if tail in _UNIT_TAILS:
            return Specific(amount, _UNIT_TAILS[tail], None, over)
        for ending, basis in _BASIS_TAILS.items():
            if tail.endswith(ending) and tail[: -len(ending)] in _UNIT_TAILS:
                return Specific(amount, _UNIT_TAILS[tail[: -len(ending)]], basis, over)
    raise _not_understood(whole)


@lru_cache(maxsize=8192)
def parse_rate(text: str) -> Rate:
    """Return the rate that a rate column prints, in general, special (one group) and column 2 alike.

    Line breaks, missing or doubled spaces and words broken by a hyphen are noise and are read through. Total: for any text the answer is a
    rate or a `ProblemError` with code `rate_not_understood`, in time linear in the text.

    >>> parse_rate("4.4¢/kg + 8%").terms
    (Specific(dollars=Fraction(11, 250), unit='kg', basis=None, over=0), AdValorem(percent=Fraction(8, 1), part=None))
    >>> parse_rate("33 1/3%").ad_valorem
    (1, 3)
    """
    if len(text) > _LONGEST:
        raise _not_understood(text)
    tidy = text
    for pattern, by in _TIDY:
        tidy = pattern.sub(by, tidy)
    flat = _squeeze(tidy)
    for kind, pattern in _REFERENCE:
        if pattern.fullmatch(flat):
            return Rate((Reference(kind, " ".join(text.split())),))
    if flat in {"free", "free,underbond"}:
        return Rate(under_bond=flat != "free")
    if _SPLIT_NUMBER.search(tidy):
        raise _not_understood(text)
    if sugar := _SUGAR.fullmatch(flat):
        base, step, degrees, floor = sugar.groups()
        return Rate((SugarDegree(Fraction(base) / 100, Fraction(step) / 100, int(degrees), Fraction(floor) / 100),))
    flat, cap, rest = flat.partition(_squeeze(_CAP))
    if rest:
        raise _not_understood(text)
    return Rate(tuple(_term(term, text) for term in flat.split("+")), capped=bool(cap))


def rate_text(rate: Rate) -> str:
    """Return a rate in one normal form: "Free", "2.5%", "33 1/3%", "4.4¢/kg + 8%". Parsing it gives the rate again."""
    if not rate.terms:
        return "Free, under bond" if rate.under_bond else "Free"
    return " + ".join(_term_text(term) for term in rate.terms) + (_CAP if rate.capped else "")


def _term_text(term: Term) -> str:
    if isinstance(term, Reference):
        return term.text
    if isinstance(term, AdValorem):
        return f"{_decimal(term.percent)}%{PARTS[term.part][0] if term.part else ''}"
    if isinstance(term, SugarDegree):
        return (
            f"{_money(term.base)}/kg less {_money(term.step)}/kg for each degree under {term.degrees} degrees"
            f" (and fractions of a degree in proportion) but not less than {_money(term.floor)}/kg"
        )
    over = f" over {term.over}" if term.over else ""
    return f"{_money(term.dollars)}{UNITS[term.unit].prints}{BASES[term.basis][0] if term.basis else ''}{over}"


def _money(dollars: Fraction) -> str:
    if dollars < 1:
        return f"{_decimal(dollars * 100)}¢"
    whole, _, cents = _decimal(dollars).partition(".")
    return f"${whole}.{cents.ljust(2, '0')}" if cents else f"${whole}"


def _decimal(number: Fraction) -> str:
    """Write a number in full: as a decimal where that ends, else as a whole and a fraction ("33 1/3")."""
    places, rest = 0, number
    while rest.denominator != 1 and places < 18:  # noqa: PLR2004 - texts hold at most nine decimals, cents move them by two
        places, rest = places + 1, rest * 10
    if rest.denominator == 1:
        digits = str(rest.numerator).rjust(places + 1, "0")
        return f"{digits[: len(digits) - places]}.{digits[len(digits) - places :]}" if places else digits
    whole, top = divmod(number.numerator, number.denominator)
    return f"{whole} {top}/{number.denominator}"


def duty(rate: Rate, value_dollars: int, quantities: Mapping[str, Decimal], parts: Mapping[str, int]) -> Duty:
    """Return the duty of a line in exact dollars, not rounded to cents, or what is missing to compute it.

    `value_dollars` and `parts` are whole dollars (19 CFR 159.3(a)), `quantities` the totals of the line by unit, in any spelling that
    `canonical_quantity` knows. A rate "over 7" jewels is meant per article: seven are deducted for each. A capped rate asks for the
    number of plates; with plates, also for the duty of the complete movement (part `complete_movement_duty`).
    Raises `ProblemError`: `rate_by_reference` when the rate stands elsewhere, `quantity_conflict`, `parts_above_value`,
    `out_of_range`.

    >>> duty(parse_rate("4.4¢/kg + 8%"), 1000, {"kg": Decimal("100.4")}, {})
    Fraction(422, 5)
    >>> sorted(duty(parse_rate("40¢ each + 6% on the case"), 1000, {}, {}).names)
    ['case', 'each']
    """
    if value_dollars < 0:
        raise refuse("out_of_range", "value", f"the value is {value_dollars}", "send a value from 0 upward")
    if rate.ad_valorem is not None:
        return Fraction(value_dollars * rate.ad_valorem[0], rate.ad_valorem[1])
    if reference := rate.reference:
        raise refuse("rate_by_reference", "hts", f"the rate of this number stands elsewhere: {reference.text}", _REFERENCES[reference.kind])
    have = {name: quantity_of(name, quantities) for name in rate.quantities}
    worth = {name: part_value(name, parts) for name in rate.parts}
    wanting = Missing(frozenset(n for n, q in have.items() if q is None), frozenset(n for n, v in worth.items() if v is None))
    if rate.capped and have["plate"] and part_value(_MOVEMENT_DUTY, parts) is None:
        wanting = Missing(wanting.quantities, wanting.parts | {_MOVEMENT_DUTY})
    if wanting.names:
        return wanting
    if sum(value or 0 for value in worth.values()) > value_dollars + len(worth):  # each part may have been rounded up to its dollar
        named = ", ".join(sorted(worth))
        raise refuse(
            "parts_above_value",
            "parts",
            f"the values of {named} exceed the value of the line",
            "send values that the line's value includes",
        )
    known = {name: amount for name, amount in have.items() if amount is not None}
    total = Fraction(0)
    for term in rate.terms:
        if isinstance(term, AdValorem):
            total += term.percent / 100 * ((worth[term.part] or 0) if term.part else value_dollars)
        elif isinstance(term, Specific):
            count = max(known[term.quantity] - term.over * known["each"], Fraction(0)) if term.over else known[term.quantity]
            total += term.dollars * billed_quantity(term.dollars, count)
        elif isinstance(term, SugarDegree):
            price = max(term.base - term.step * max(term.degrees - known["degree"], Fraction(0)), term.floor)
            total += price * billed_quantity(price, known["kg"])
    limit = part_value(_MOVEMENT_DUTY, parts) if rate.capped and known["plate"] else None
    return total if limit is None else min(total, Fraction(limit))
