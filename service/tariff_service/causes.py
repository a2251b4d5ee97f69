"""Which act stands behind a change of a line from one day to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from tariff_service.differing import BASE, GATE, heading_rows
from tariff_service.explaining import instrument

if TYPE_CHECKING:
    from tariff_engine.compiled.form import CompiledProgram, CompiledProvision
    from tariff_engine.law import Law
    from tariff_service.listing import Listed

Data = dict[str, Any]


def caused(
    law: Law, change: Data, before: Data, after: Data, day: date, verdict: Mapping[str, Any] | None, listed: Listed | None = None
) -> Data:
    """Return a change of headings with the act behind it, the day it was announced, what the law says, and citations.

    A heading that begins, or whose rate changes, names its own act. One that ends is followed to the step, the list row or the relation
    that took its place; where none begins on the day, the end was set by the heading's own act. `listed` are the acts through which the
    number joined or left lists on the day.
    """
    key = change["program"], change["heading"], change["kind"]
    now, was = heading_rows(after).get(key, []), heading_rows(before).get(key, [])
    row = next((one for one in now if one.get("since") == day.isoformat()), None)
    if row is not None:
        return _told(law, change, row.get("instrument"), row["says"], row["cites"])
    if ("released_by" in before) != ("released_by" in after):
        return treated(law, change, after)
    if change["program"] == BASE:
        return _base(law, change, after, day, (now or was)[0])
    because = verdict["because"] if verdict else (now or was)[0]["says"]
    cites = list(verdict["cites"]) if verdict else list((now or was)[0]["cites"])
    return _told(law, change, _ender(law, change, after, day, was, listed or {}), because, cites)


def treated(law: Law, change: Data, after: Data) -> Data:
    """Return a change that low-value treatment brought, with the act and the sentence of its row."""
    gate = after[GATE]
    return _told(law, change, gate.get("instrument"), gate["says"], gate["cites"])


def _base(law: Law, change: Data, after: Data, day: date, shown: Mapping[str, Any]) -> Data:
    """The chapter 1-97 number: by its own rate, or by a total that takes its duty in."""
    if change["rate"]["from"] != change["rate"]["to"]:
        return _told(law, change, None, shown["says"], shown["cites"])
    row = next((one for one in after["headings"] if one.get("since") == day.isoformat() and one.get("instrument")), None)
    if row is None:
        return _told(law, change, None, shown["says"], shown["cites"])
    return _told(law, change, row["instrument"], row["says"], row["cites"])


def _told(law: Law, change: Data, by: str | None, because: str, cites: list[str]) -> Data:
    act = instrument(law, by) if by and by in law.instruments else None
    return {**change, "instrument": act, "announced": act["published"] if act else None, "because": because, "cites": list(cites)}


def _ender(law: Law, change: Data, after: Data, day: date, was: list[Mapping[str, Any]], listed: Listed) -> str | None:
    """Return the act that changed a heading which does not change by itself."""
    began = [row for row in after["headings"] if row.get("since") == day.isoformat() and row.get("instrument")]
    began.sort(key=lambda row: row["program"] != change["program"])
    own = listed.get((change["program"], change["heading"]), [])
    others = [act for (program, _), acts in listed.items() if program == change["program"] for act in acts]
    candidates = [*_in_program(law, change, day), *own, *(str(row["instrument"]) for row in began), *_edges(law, change, day), *others]
    if candidates:
        return candidates[0]
    return next((str(row["instrument"]) for row in was if row.get("instrument")), None)


def _in_program(law: Law, change: Data, day: date) -> Iterator[str]:
    """Yield the acts of the program's end, and of steps of the heading that begin on the day."""
    program = _program(law, change["program"])
    if program is None:
        return
    ordinal = day.toordinal()
    if program.ended and program.ended.start == ordinal and program.ended.by:
        yield program.ended.by
    for provision in _provisions(law, program, change["heading"]):
        for effect in provision.effects:
            if effect.start == ordinal and effect.by:
                yield effect.by


def _edges(law: Law, change: Data, day: date) -> Iterator[str]:
    """Yield the acts of exceptions and relations of the heading that begin on the day."""
    program = _program(law, change["program"])
    for provision in _provisions(law, program, change["heading"]) if program else ():
        for edge in (*provision.unless, *provision.relations):
            if edge.start == day.toordinal() and edge.by:
                yield edge.by


def _program(law: Law, name: str) -> CompiledProgram | None:
    return next((program for program in law.compiled.programs if program.name == name), None)


def _provisions(law: Law, program: CompiledProgram, heading: str) -> Iterator[CompiledProvision]:
    for place in program.provisions:
        provision = law.compiled.provisions[place]
        if provision.heading == heading or provision.is_family:
            yield provision
