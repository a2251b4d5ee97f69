"""What refunds.yaml names must exist, and its tests must suit the facts that they test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain

from tariff_engine.notation.check_places import Places, Trail
from tariff_engine.notation.wording import near
from tariff_engine.refund_law import ENTRY_DATE
from tariff_engine.refund_rules import Action, Refunds, Window

_PATH = "refunds.yaml"


def check_refunds(places: Places, refunds: Refunds | None) -> Iterator[str]:
    """Yield what is wrong with the refund actions beyond their form; a book without refunds.yaml has none."""
    if refunds is None:
        return
    types: dict[str, str] = {ENTRY_DATE: "date", **{name: fact.type for name, fact in refunds.facts.items()}}
    for name in refunds.facts:
        if name in places.book.facts and name != "entry_type":
            words = f"{name} is a fact of facts.yaml already; name the fact of the entry otherwise"
            yield places.at(_PATH, ("facts", name), words)
    for name, fact in refunds.facts.items():
        for key, other, wanted in (("implies", fact.implies, "bool"), ("if_later", fact.if_later, "date")):
            known = [one for one, kind in types.items() if kind == wanted and one != name]
            if other is not None and other not in known:
                yield places.at(_PATH, ("facts", name, key), f"{other} is no other {wanted} of refunds.yaml{near(other, known)}")
    yield from _twice(places, [action.action for action in refunds.actions], ("actions",), "action")
    programs = [program.program for program in places.book.programs]
    for number, action in enumerate(refunds.actions):
        trail: Trail = ("actions", number)
        for place, name in enumerate(action.programs):
            if name not in programs:
                yield places.at(_PATH, (*trail, "programs", place), f"{name} is no program of this rulebook{near(name, programs)}")
        yield from _twice(places, list(action.programs), (*trail, "programs"), "")
        yield from _twice(places, [one.check for one in action.checks], (*trail, "checks"), "check")
        yield from _twice(places, [one.window for one in action.windows], (*trail, "windows"), "window")
        yield from _tests(places, action, trail, types)
        yield from _windows(places, action.windows, (*trail, "windows"), types)
    yield from _twice(places, [one.window for one in refunds.corrections], ("corrections",), "window")
    yield from _windows(places, refunds.corrections, ("corrections",), types)


def _twice(places: Places, names: list[str], trail: Trail, key: str) -> Iterator[str]:
    counts = Counter(names)
    for place, name in enumerate(names):
        if counts[name] > 1 and name in names[:place]:
            yield places.at(_PATH, (*trail, place, key) if key else (*trail, place), f"{name} stands twice; name each once")


def _tests(places: Places, action: Action, trail: Trail, types: dict[str, str]) -> Iterator[str]:
    for number, check in enumerate(action.checks):
        for name, test in check.when.items():
            spot = (*trail, "checks", number, "when", name)
            if name not in types:
                yield places.at(_PATH, spot, f"{name} is no fact of refunds.yaml{near(name, types)}")
                continue
            wanted = "bool" if isinstance(test, bool) else "date" if test.days_past is not None else "code"
            if types[name] != wanted:
                yield places.at(_PATH, spot, f"{name} is a {types[name]}; this test is for a {wanted}")


def _windows(places: Places, windows: Sequence[Window], trail: Trail, types: dict[str, str]) -> Iterator[str]:
    for number, window in enumerate(windows):
        spot = (*trail, number)
        named = chain(
            (
                (("ends", place, "after" if term.after else "before"), term.after or term.before, "date")
                for place, term in enumerate(window.ends)
            ),
            [(("over_by",), window.over_by, "date"), (("begun",), window.begun, "bool")],
        )
        for where, name, wanted in named:
            if name is not None and types.get(name) != wanted:
                known = [one for one, kind in types.items() if kind == wanted]
                yield places.at(_PATH, (*spot, *where), f"{name} is no {wanted} of refunds.yaml{near(name, known)}")
