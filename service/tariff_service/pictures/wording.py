"""The words of a picture: what is owed, what changed and by which act, in as few words as a drawing has room for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tariff_service.differing import BASE

Data = Mapping[str, Any]
_DAY = timedelta(days=1)
_BESIDE = frozenset({"hts", "origin", "value", "id"})  # facts that the title says


def money(amount: str | None) -> str:
    """Return dollars as read: $1,234.50; -$3.00; not known."""
    if amount is None:
        return "not known"
    return f"{'-' if Decimal(amount) < 0 else ''}${abs(Decimal(amount)):,.2f}"


def program(name: str, titles: Mapping[str, str]) -> str:
    """Return the title of a program; the base duty is no program of the law book."""
    return titles.get(name) or ("Base duty of the number itself" if name == BASE else name)


def goods(facts: Data, countries: Mapping[str, str]) -> str:
    """Return which goods: the number and the country."""
    origin = str(facts.get("origin", "?")).upper()
    return f"{facts.get('hts', '?')} of {countries.get(origin, origin)}"


def stated(facts: Data) -> str:
    """Return the other facts that were stated."""
    return ", ".join(
        f"{name} {_fact(value)}" for name, value in facts.items() if name not in _BESIDE and not isinstance(value, dict | list)
    )


def _fact(value: Any) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def source(found: Data) -> list[str]:
    """Return where the picture comes from, in lines."""
    book = found["rulebook"]
    known = f"by the law as known on {found['known_on']}" if found["known_on"] else "by everything known to the law book"
    return [
        f"Source: {found['engine']}, {known}; law read to {book['horizon']}, edition {book['edition']}.",
        f"Rulebook {book['id']}",
    ]


def days(step: Data) -> str:
    """Return the days of entry of a step."""
    if not step["until"]:
        return f"From {step['from']} on"
    last = (date.fromisoformat(step["until"]) - _DAY).isoformat()
    return f"{step['from']} to {last}" if last != step["from"] else f"On {last}"


def causes(step: Data) -> list[str]:
    """Return what changed, told act by act; changes that move no dollars are counted where others do."""
    changes = [change for change in step["changes"] if change["program"] != "fees"] or step["changes"]
    if not changes:
        numbers = ", ".join(f"{row['heading']} {row['rate']}" for row in step["headings"])
        return [f"Where the picture begins: {numbers}."]
    moving = [change for change in changes if _moves(change)] or changes
    acts: dict[str, list[str]] = {}
    for change in moving:
        acts.setdefault(_act(change), []).append(_change(change))
    told = [f"{'; '.join(phrases)}: {act}" for act, phrases in acts.items()]
    if len(moving) < len(changes):
        rest = len(changes) - len(moving)
        told.append(
            f"{rest} further {'change' if rest == 1 else 'changes'} of headings that {'moves' if rest == 1 else 'move'} no dollars."
        )
    return told


def _moves(change: Data) -> bool:
    duty = change.get("duty") or {}
    return Decimal(duty.get("from") or 0) != Decimal(duty.get("to") or 0)


def _act(change: Data) -> str:
    act = change.get("instrument")
    return f"{act['title']} ({act['cite']})." if act else str(change.get("because") or "").strip()


def _change(change: Data) -> str:
    name, rate = change["heading"] or change["program"], change.get("rate") or {}
    one, two = rate.get("from"), rate.get("to")
    if change["what"] == "began":
        return f"{name} begins{f' at {two}' if two else ''}"
    if change["what"] == "ended":
        return f"{name} ends{f' (was {one})' if one else ''}"
    if one != two and one and two:
        return f"{name} changes from {one} to {two}"
    duty = change.get("duty") or {}
    return f"{name} changes from {money(duty.get('from'))} to {money(duty.get('to'))}"


def assumed(found: Data) -> str:
    """Return which facts nobody stated; empty where all that matter are."""
    names = dict.fromkeys(name for step in found["steps"] for name in step.get("unknown", ()))
    if not names:
        return ""
    return f"Not stated, and taken as the law book's caution says: {', '.join(names)}. The ranges in brackets are what they can make of the duty."


def ranged(step: Data) -> str:
    """Return the range of a duty by facts that are not stated, in brackets; empty where it is one number."""
    span = step.get("range") or {}
    low, high = span.get("low"), span.get("high")
    if low == high:
        return ""
    return f" ({money(low)} to {money(high) if high else 'more'})"


def withdrawn(step: Data) -> list[str]:
    """Return how a step that never came was announced and called off."""
    numbers = ", ".join(f"{change['heading']} {(change.get('rate') or {}).get('to') or ''}".strip() for change in step["changes"])
    acts = "; ".join(f"{act['title']} ({act['cite']})" for act in step["withdrawn_by"])
    instead = (step.get("instead") or {}).get("duty")
    owed = f" Owed instead: {money(instead)}." if instead is not None else ""
    return [f"{numbers or 'Another duty'}, known from {step['known_on']}; called off on {step['withdrawn_on']} by {acts}.{owed}"]


def summary(found: Data) -> Iterator[str]:
    """Yield the steps in a sentence each, for those who cannot see the picture."""
    for step in found["steps"]:
        known = "problem" not in step and step["duty"] is not None
        yield f"{days(step)}: " + (f"{step['rate']}, {money(step['duty'])}." if known else "not known.")
    for step in found["withdrawn"]:
        yield f"{days(step)}: announced and withdrawn, {step['rate']}, {money(step['duty'])}."
