"""Who made the law, when, and where it stands: every dated thing has its act, every act its days, and every act is used."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from tariff_engine.notation.check_places import Places, inside
from tariff_engine.notation.model import Instrument, Relation
from tariff_engine.notation.program import Drawback, Group, Offset, Step, Unless
from tariff_engine.notation.terms import Dated, Strict
from tariff_engine.notation.wording import near

_AMOUNTS = "mpf.csv"
_PREFERENCES = "schedule/preferences.csv"


def check_sources(places: Places, frame: Mapping[str, Strict]) -> Iterator[str]:
    """Yield what is wrong with acts. `frame` holds what the files on fees and de minimis say, by their paths."""
    book = places.book
    owners = {"instruments.yaml": book.instruments, **{path: getattr(model, "instruments", {}) for path, model in frame.items()}}
    acts: dict[str, Instrument] = {}
    yield from _acts(places, owners, acts)
    used = {act for table in book.tables.values() for row in table.rows for act in (row.by, row.withdrawn_by)}
    for path, model in (("book.yaml", {"absent": book.absent}), *places.models(), *frame.items()):
        for trail, thing in inside(model):
            if isinstance(thing, Dated):
                used |= {name for name in (thing.by, thing.withdrawn_by) if name}
                for words in _dated(thing, acts, demands=path not in frame):
                    yield places.at(path, trail, words)
    for number, name in _sheet_acts(book.files.get(_AMOUNTS, "")):
        used |= {name}
        if name not in acts:
            yield f"{_AMOUNTS}:{number}: by: {name} is no instrument of this rulebook{near(name, acts)}"
    used |= {member.by for group in book.groups.values() for member in group if not isinstance(member, str) and member.by}
    for number, day in _known_days(book.files.get(_PREFERENCES, "")):
        found = {name for name, act in acts.items() if act.published.isoformat() == day}
        used |= found
        if not found:
            yield f"{_PREFERENCES}:{number}: known_from: no act was published on {day}; add it to instruments.yaml, or mend the day"
    for path, own in owners.items():
        for name in own:
            if name not in used:
                yield places.at(path, ("instruments", name), f"no rule names {name}; name it in the `by` of what it did, or remove it")


def _acts(places: Places, owners: Mapping[str, Mapping[str, Instrument]], acts: dict[str, Instrument]) -> Iterator[str]:
    """Collect the acts of all files, one meaning a name; yield what is wrong with their days."""
    for path, own in owners.items():
        for name, act in own.items():
            yield from _act(places, path, name, act)
            if acts.setdefault(name, act).published != act.published:
                words = f"{name} is published {act.published} here and {acts[name].published} elsewhere; give both the same day"
                yield places.at(path, ("instruments", name), words)


def _sheet_acts(text: str) -> Iterator[tuple[int, str]]:
    """Yield the acts that the rows of a sheet name, each with its line."""
    rows = csv.DictReader(io.StringIO(text, newline=""))
    for row in rows:
        for column in ("by", "withdrawn_by"):
            if row.get(column):
                yield rows.line_num, row[column]


def _known_days(text: str) -> Iterator[tuple[int, str]]:
    """Yield the days on which spans of the preferences became known: what was known changes only on a day of an act."""
    rows = csv.DictReader(io.StringIO(text, newline=""))
    for row in rows:
        if row.get("known_from"):
            yield rows.line_num, row["known_from"]


def _act(places: Places, path: str, name: str, act: Instrument) -> Iterator[str]:
    if act.published < act.signed:
        words = f"the public knew {name} on {act.published}, before it was signed on {act.signed}; exchange or mend the days"
        yield places.at(path, ("instruments", name, "published"), words)
    horizon = places.book.horizon.until
    if act.published > horizon:
        words = f"{name} is of {act.published}, after the horizon of book.yaml, {horizon}, up to which the law was read; move the horizon"
        yield places.at(path, ("instruments", name, "published"), words)


def _dated(thing: Dated, acts: Mapping[str, Instrument], *, demands: bool) -> Iterator[str]:
    kinds: dict[type[Strict], str] = {
        Step: "a step",
        Unless: "an exception with dates",
        Relation: "a relation",
        Group: "a group with dates",
        Offset: "an offset",
        Drawback: "a word on drawback with dates",
    }
    kind = kinds.get(type(thing), "")
    dated = thing.from_ is not None or thing.until is not None
    if demands and kind and dated and thing.by is None:
        yield f"{kind} names the act that made it: add by: NAME, an instrument of instruments.yaml"
    for name in (thing.by, thing.withdrawn_by):
        if name is not None and name not in acts:
            yield f"{name} is no instrument of this rulebook{near(name, acts)}"
    if thing.withdrawn_by is None or thing.by is None:
        return
    made, ended = acts.get(thing.by), acts.get(thing.withdrawn_by)
    if made and ended and ended.published < made.published:
        yield f"{thing.withdrawn_by} was published before {thing.by}, so it cannot call it off; exchange by and withdrawn_by"
