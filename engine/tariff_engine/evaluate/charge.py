"""From the provisions that stand to money: the rows to file, the split of the line, and each duty to the cent.

Law that charges parts of a value differently is filed as split lines, and CBP computes each split line by itself; so the duty of a heading
is the sum of its rounded duties on the split lines, and always equals what is filed (CSMS 65236374, 65236645; rounding: `money`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from tariff_engine.evaluate.derivation import Outcome, Row, Segment
from tariff_engine.money import cents

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class Base:
    """The duty of the chapter 1-97 number: `rate` where it is ad valorem only, else `duty` in exact dollars; neither where a quantity is missing.

    `value` is the dutiable part of the value in whole dollars (all of it unless chapter 98 says less). `chapter98` is the chapter 98 number
    under which the goods are entered, "" where there is none or it is not honored; `freed` whether that number leaves nothing dutiable, `bond`
    whether it takes a bond in place of duty: such goods are not entered for consumption, and no program charges them.
    """

    duty: Fraction | None
    rate: Fraction | None
    value: int
    chapter98: str = ""
    freed: bool = False
    bond: bool = False

    @property
    def exact(self) -> Fraction | None:
        """The duty in exact dollars; None where it cannot be known."""
        return self.duty if self.rate is None else self.rate * self.value

    @property
    def ave(self) -> Fraction:
        """The ad valorem equivalent; 0 where it cannot be known."""
        if self.rate is not None:
            return self.rate
        return self.duty / self.value if self.duty is not None and self.value else Fraction(0)


@dataclass(frozen=True, slots=True)
class Draft:
    """A row before its money: what it files, at which rate, on which parts."""

    heading: str
    outcome: Outcome
    kind: str
    rate: Fraction
    parts: frozenset[str]
    base: int
    framed: bool = False


def charge(
    drafts: Sequence[Draft], amounts: Mapping[str, int], base: Base
) -> tuple[tuple[Row, ...], tuple[Segment, ...], int | None, int | None]:
    """Return rows with duties, the filing split, the base duty left on the chapter 1-97 number and the full base duty (cents)."""
    groups = _split(drafts, amounts)
    per_row: list[list[int]] = [[] for _ in drafts]
    for members, value in groups:
        for place, draft in enumerate(drafts):
            charged = bool(draft.parts & members) and not draft.framed
            per_row[place].append(cents(draft.rate * value) if charged else 0)
    for place, draft in enumerate(drafts):
        if draft.framed:  # chapter 98 leaves one amount of the value: it is charged once, on the first line that it reaches
            first = next((n for n, (members, _) in enumerate(groups) if draft.parts & members), 0)
            per_row[place][first] = cents(draft.rate * draft.base)
    bases, left, full = _base_duties(drafts, groups, base)
    rows = tuple(
        Row(
            d.heading,
            d.outcome.id,
            d.outcome.program,
            d.kind,
            d.rate,
            d.base,
            sum(per_row[n]),
            d.parts,
            d.outcome.cites,
            d.outcome.by,
            d.outcome.since,
        )
        for n, d in enumerate(drafts)
    )
    segments = []
    for n, (members, value) in enumerate(groups):
        inside = tuple(place for place, draft in enumerate(drafts) if draft.parts & members or not draft.parts)
        segments.append(Segment(members, value, inside, tuple(per_row[place][n] for place in inside), bases[n] if bases else None))
    return rows, tuple(segments), left, full


def _split(drafts: Sequence[Draft], amounts: Mapping[str, int]) -> list[tuple[frozenset[str], int]]:
    """Group the parts that file the same rows; a part worth nothing is filed with the first group that it fits."""
    found: dict[tuple[bool, ...], list[str]] = {}
    for part, amount in amounts.items():
        if amount:
            found.setdefault(tuple(part in draft.parts for draft in drafts), []).append(part)
    if not found:
        return [(frozenset(amounts), 0)]
    groups = [(frozenset(parts), sum(amounts[part] for part in parts)) for parts in found.values()]
    empty = frozenset(part for part, amount in amounts.items() if not amount)
    return [(groups[0][0] | empty, groups[0][1]), *groups[1:]] if len(groups) == 1 else groups


def _base_duties(
    drafts: Sequence[Draft], groups: list[tuple[frozenset[str], int]], base: Base
) -> tuple[list[int] | None, int | None, int | None]:
    """Return the base duty per split line, what is left of it, and all of it.

    A total ("15% in all", or a rate in lieu of the base rate) takes it off the parts it covers. Where rates in lieu of it reach all of the
    line, it need not be known.
    """
    owed = base.exact
    if owed is None:
        in_lieu = [draft.parts for draft in drafts if draft.outcome.in_lieu is not None and draft.kind == "total" and not draft.framed]
        replaced = all(any(parts & members for parts in in_lieu) for members, _ in groups)
        return ([0] * len(groups), 0, None) if replaced else (None, None, None)
    totals = [draft for draft in drafts if draft.kind == "total"]
    whole = sum(value for _, value in groups)
    if base.rate is not None and base.value == whole and not any(draft.framed for draft in totals):
        full = [cents(base.rate * value) for _, value in groups]
        left = [0 if any(d.parts & members for d in totals) else amount for amount, (members, _) in zip(full, groups, strict=True)]
        return left, sum(left), sum(full)
    remaining = owed
    for draft in totals:
        remaining -= owed * Fraction(draft.base, base.value) if base.value else Fraction(0)
    amount = cents(max(remaining, Fraction(0)))
    return [amount, *[0] * (len(groups) - 1)], amount, cents(owed)
