"""Three-valued conditions, read straight off the notation: true, false, or unknown because of named facts. Part of the naive evaluator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tariff_engine.evaluate.derivation import MET, Kind, Reason
from tariff_engine.evaluate.words import nearness, value_words
from tariff_engine.money import approximate_percent, percent_text
from tariff_engine.notation.conditions import BaseRate, InTransit, NotOrigin, Products, SubjectTo, Test, When

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.facts import Line

NOT_SHOWN = object()


@dataclass(frozen=True, slots=True)
class Truth:
    """Whether something holds (None: unknown because of `facts`), the reason, and the parts of the value that a `subject_to` found covered."""

    holds: bool | None
    reason: Reason = MET
    facts: frozenset[str] = frozenset()
    covers: tuple[frozenset[str], ...] = ()


YES = Truth(holds=True)


def every(parts: list[Truth]) -> Truth:
    """Kleene's `and`: the first false part decides; else anything unknown makes it unknown."""
    for part in parts:
        if part.holds is False:
            return part
    unknown = [part for part in parts if part.holds is None]
    covers = tuple(cover for part in parts for cover in part.covers)
    if unknown:
        names = frozenset[str]().union(*(part.facts for part in unknown))
        return Truth(None, unknown[0].reason, names, covers)
    reason = next((part.reason for part in reversed(parts) if part.reason is not MET), MET)
    return Truth(holds=True, reason=reason, covers=covers)


def some(parts: list[Truth]) -> Truth:
    """Kleene's `or`: true where one branch is; what the branches that do not hold cover does not count."""
    good = [part for part in parts if part.holds]
    if good:
        return Truth(holds=True, reason=good[0].reason, covers=tuple(cover for part in good for cover in part.covers))
    unknown = [part for part in parts if part.holds is None]
    if unknown:
        return Truth(None, unknown[0].reason, frozenset[str]().union(*(part.facts for part in unknown)))
    return Truth(holds=False, reason=nearest([part.reason for part in parts]))


def negate(part: Truth) -> Truth:
    """Turn true and false round; unknown stays unknown."""
    if part.holds is None:
        return Truth(None, part.reason, part.facts)
    return Truth(holds=not part.holds, reason=Reason(Kind.BARRED, of=part.reason))


def nearest(reasons: list[Reason]) -> Reason:
    """Return the reason of the branch that came nearest to holding."""
    return min(reasons, key=nearness)


@dataclass(slots=True)
class View:
    """A line as conditions see it: its facts, what is assumed for unknown ones, the law known on a day, and its base duty."""

    book: Book
    line: Line
    known_on: date
    column: str
    ave: Fraction | None
    assumed: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """Return the fact, a value derived from other facts, or None when it is unknown."""
        if name in self.line.facts:
            return self.line.facts[name]
        definition = self.book.facts[name]
        if definition.ratio:
            over, under = (self.get(source) for source in definition.ratio)
            return None if over is None or not under else Fraction(over) / Fraction(under) * 100
        if definition.years_before_entry:
            year = self.get(definition.years_before_entry)
            return None if year is None else Decimal(self.line.day.year) - Decimal(year)
        return None


Subject = Callable[[SubjectTo], Truth]


def matches_origin(view: View, wanted: list[str]) -> bool:
    """Whether the origin is one of the countries or in one of the dated groups."""
    line = view.line
    groups = (name.removeprefix("group:") for name in wanted if name.startswith("group:"))
    return line.origin in wanted or any(view.book.in_group(group, line.origin, line.day) for group in groups)


def on_products(view: View, wanted: Products, day: date) -> Truth:
    """Whether the HTS number is on the lists as they stood on a day, in the law as known."""
    hts = view.line.hts

    def listed(names: list[str]) -> str | None:
        for name in names:
            if any(row.holds(day) and view.book.row_known(row, view.known_on) for row in view.book.tables[name].match(hts)):
                return name
        return None

    if wanted.in_ is not None or wanted.starts is not None:
        names = [*(wanted.in_ or []), *(wanted.starts or [])]
        if listed(wanted.in_ or []) is None and not any(hts.startswith(prefix) for prefix in wanted.starts or []):
            return Truth(holds=False, reason=Reason(Kind.PRODUCT, f"on {', '.join(names)}", hts, ("hts",)))
    if wanted.not_in and (hit := listed(wanted.not_in)):
        return Truth(holds=False, reason=Reason(Kind.PRODUCT, f"not on {hit}", hts, ("hts",)))
    if wanted.chapter and hts[:2] not in wanted.chapter:
        return Truth(holds=False, reason=Reason(Kind.PRODUCT, f"in chapter {', '.join(wanted.chapter)}", hts, ("hts",)))
    if wanted.not_chapter and hts[:2] in wanted.not_chapter:
        return Truth(holds=False, reason=Reason(Kind.PRODUCT, f"outside chapter {', '.join(wanted.not_chapter)}", hts, ("hts",)))
    return YES


def test_words(test: bool | Test) -> str:
    """Return a test in words."""
    if isinstance(test, bool):
        return "true" if test else "false"
    words = {
        "is_": "",
        "in_": "one of ",
        "above": "above ",
        "at_least": "at least ",
        "below": "below ",
        "before": "before ",
        "from_": "on or after ",
    }
    found = [(words[name], getattr(test, name)) for name in words if getattr(test, name) is not None]
    return " and ".join(f"{word}{', '.join(value) if isinstance(value, list) else value}" for word, value in found)


def passes(value: Any, test: bool | Test) -> bool:
    """Whether a known value passes a test."""
    if isinstance(test, bool):
        return bool(value) == test
    return all(
        (
            test.is_ is None or str(value) == test.is_,
            test.in_ is None or str(value) in test.in_,
            test.above is None or Fraction(value) > Fraction(test.above),
            test.at_least is None or Fraction(value) >= Fraction(test.at_least),
            test.below is None or Fraction(value) < Fraction(test.below),
            test.before is None or value < test.before,
            test.from_ is None or value >= test.from_,
        )
    )


def on_fact(view: View, name: str, test: bool | Test) -> Truth:
    """Test one fact; where it is unknown and the law takes nothing for it, no test on it holds."""
    value = view.get(name)
    unknown: tuple[str, ...] = ()
    if value is None and name in view.assumed:
        value, unknown = view.assumed[name], (name,)
        if value is NOT_SHOWN:
            return Truth(holds=False, reason=Reason(Kind.FACT, test_words(test), "", (name,), unknown))
    if value is None:
        return Truth(None, Reason(Kind.FACT, test_words(test), "", (name,), (name,)), frozenset({name}))
    reason = Reason(Kind.FACT, test_words(test), "" if unknown else value_words(value), (name,), unknown)
    return Truth(holds=passes(value, test), reason=reason)


def holds(view: View, when: When, subject: Subject, heading: str, day: date) -> Truth:
    """Whether a condition holds. Cheap keys come first, so that the reason given is the plainest one."""
    line = view.line
    if when.origin is not None:
        wanted = when.origin.not_ if isinstance(when.origin, NotOrigin) else when.origin
        if matches_origin(view, wanted) == isinstance(when.origin, NotOrigin):
            words = ("any but " if isinstance(when.origin, NotOrigin) else "") + ", ".join(wanted)
            return Truth(holds=False, reason=Reason(Kind.ORIGIN, words, line.origin, ("origin",)))
    if when.entered is not None and not view.book.live(when.entered, line.day, view.known_on):
        words = f"entered {when.entered.from_ or ''} to {when.entered.until or ''}"
        return Truth(holds=False, reason=Reason(Kind.ENTERED, words, str(line.day), ("entry_date",)))
    parts: list[Truth] = []
    if when.hts is not None:
        parts.append(on_products(view, when.hts, day))
    if when.column is not None:
        parts.append(Truth(view.column in when.column, Reason(Kind.COLUMN, ", ".join(when.column), view.column)))
    if when.base_rate is not None:
        parts.append(_base_rate(view, when.base_rate))
    if when.in_transit is not None:
        parts.extend(_in_transit(view, when.in_transit))
    parts.extend(on_fact(view, name, test) for name, test in (when.facts or {}).items())
    if when.claimed is not None:
        bare = heading.partition("/")[0]
        claims = line.facts.get("exclusion_claims") or []
        reason = Reason(Kind.CLAIM, bare, ", ".join(map(str, claims)), ("exclusion_claims",))
        parts.append(Truth((bare in claims) == when.claimed, reason))
    if when.any is not None:
        parts.append(some([holds(view, inner, subject, heading, day) for inner in when.any]))
    if when.not_ is not None:
        parts.append(negate(holds(view, when.not_, subject, heading, day)))
    result = every(parts)
    if when.subject_to is not None and result.holds is not False:
        result = every([*parts, subject(when.subject_to)])
    return result


def _in_transit(view: View, window: InTransit) -> list[Truth]:
    day = view.line.day
    words = f"entered before {window.entered_before}"
    parts = [Truth(day < window.entered_before, Reason(Kind.ENTERED, words, str(day), ("entry_date",)))]
    if window.loaded_before:
        parts.append(on_fact(view, "loaded_date", Test(before=window.loaded_before)))
        if not window.or_final_mode:
            parts.append(on_fact(view, "final_mode_differs", test=False))
    if window.exported_before:
        parts.append(on_fact(view, "export_date", Test(before=window.exported_before)))
    if window.mode:
        parts.append(on_fact(view, "mode", Test.model_validate({"in": window.mode})))
    return parts


def _base_rate(view: View, bounds: BaseRate) -> Truth:
    words = " and ".join(
        word
        for word in (
            bounds.at_least and f"at least {percent_text(bounds.at_least)}",
            bounds.below and f"below {percent_text(bounds.below)}",
        )
        if word
    )
    if view.ave is None:
        return Truth(None, Reason(Kind.BASE_RATE, words, "", ("quantity",), ("quantity",)), frozenset({"quantity"}))
    good = (bounds.at_least is None or view.ave >= bounds.at_least) and (bounds.below is None or view.ave < bounds.below)
    return Truth(good, Reason(Kind.BASE_RATE, words, approximate_percent(view.ave), ("quantity",)))
