"""Why, and why not: the verdicts of a line in groups, each with its deciding condition, the value seen, and the acts behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tariff_service.explaining import instrument
from tariff_service.web.fields import plain_words

if TYPE_CHECKING:
    from tariff_engine.law import Law

_GROUPS: Final = {
    "applies": ("Applies", ("prohibited", "applies")),
    "needs": ("Needs a fact", ("fact_unknown",)),
    "exempt": ("Exempt", ("exempt",)),
    "displaced": ("Displaced by another duty", ("displaced",)),
    "not_covered": (
        "Does not cover this line",
        (
            "fact_not_met",
            "not_claimed",
            "condition_not_met",
            "no_change_in_column",
            "nothing_to_charge",
            "outside",
            "product_not_listed",
            "origin_not_covered",
        ),
    ),
    "not_in_force": ("Not in force on the day of entry", ("never_imposed", "not_in_force")),
}
WORDS: Final = {
    "prohibited": "prohibits the goods",
    "applies": "applies",
    "fact_unknown": "needs a fact",
    "exempt": "exempt",
    "displaced": "displaced",
    "fact_not_met": "a fact decides against it",
    "not_claimed": "not claimed",
    "condition_not_met": "a condition is not met",
    "no_change_in_column": "adds nothing in this column",
    "nothing_to_charge": "nothing to charge it on",
    "outside": "outside the program",
    "product_not_listed": "product not listed",
    "origin_not_covered": "origin not covered",
    "never_imposed": "authorized, never imposed",
    "not_in_force": "not in force",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A program and what it does on the line. `duty` is what its headings charge, `would_be` what it would have charged."""

    program: str
    title: str
    verdict: str
    word: str
    because: str
    headings: tuple[str, ...]
    provision: str
    duty: str | None
    would_be: str | None
    seen: tuple[tuple[str, str], ...]
    acts: tuple[Mapping[str, Any], ...]
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Verdicts that say the same kind of thing."""

    name: str
    title: str
    verdicts: tuple[Verdict, ...]


def groups(law: Law, line: Mapping[str, Any], paid: Mapping[str, str | None]) -> list[Group]:
    """Return the verdicts of a line in groups; `paid` are the dollars of each program."""
    kinds = {verdict: name for name, (_, verdicts) in _GROUPS.items() for verdict in verdicts}
    found: dict[str, list[Verdict]] = {name: [] for name in _GROUPS}
    for one in line.get("programs", ()):
        found[kinds.get(one["verdict"], "not_covered")].append(_verdict(law, one, paid))
    for name, verdicts in found.items():
        order = _GROUPS[name][1]
        verdicts.sort(key=lambda one, order=order: order.index(one.verdict) if one.verdict in order else len(order))  # type: ignore[misc]
    return [Group(name, title, tuple(found[name])) for name, (title, _) in _GROUPS.items() if found[name]]


def _verdict(law: Law, one: Mapping[str, Any], paid: Mapping[str, str | None]) -> Verdict:
    seen = one.get("facts") or {}
    return Verdict(
        one["program"],
        one.get("title") or one["program"],
        one["verdict"],
        WORDS.get(one["verdict"], one["verdict"].replace("_", " ")),
        one["because"],
        tuple(one.get("headings", ())),
        one.get("provision") or "",
        paid.get(one["program"]) if one["verdict"] == "applies" else None,
        one.get("would_be"),
        tuple((plain_words(name), _shown(value)) for name, value in seen.items()),
        tuple(instrument(law, name) for name in one.get("instruments", ()) if name in law.instruments),
        tuple(one["cites"]),
    )


def _shown(value: Any) -> str:
    if value is None:
        return "not stated"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(_shown(item) for item in value) if isinstance(value, list | tuple) else str(value)
