"""The page of a heading: every provision that is filed under it, its dated steps with the acts, exceptions, order, lists and doubts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tariff_service.condition_words import refs_words
from tariff_service.site.markdown import Addresses, page, plain, slug, table

Data = Mapping[str, Any]
_DRAWBACK = {"none": "none", "manufacturing": "of goods used in manufacture only", "all": "available"}
_NAMED = 60  # origins or products named of a group of rows
_LIST = "list "


def heading_page(found: Data, life: Data, here: str, places: Addresses) -> str:
    """Return the page of a heading from its life and its history, as `lives.life` and `history.history` return them."""
    provisions = found["provisions"]
    titles = list(dict.fromkeys((one["program"], one["title"]) for one in provisions))
    programs = ", ".join(places.link(here, f"program:{name}", title) for name, title in titles)
    return page(
        f"# {plain(found['heading'])}",
        f"Of {programs}.",
        *(part for one in provisions for part in _provision(one, found["heading"], here, places)),
        _events(life["events"], here, places),
    )


def _provision(one: Data, heading: str, here: str, places: Addresses) -> Iterator[str]:
    own = heading in {one["provision"], one["provision"].partition("/")[0]}
    yield f"## {plain(one['provision'])} {{ #{slug(one['provision'])} }}" if own else f"## Filed under {plain(heading)}"
    yield f"**{places.told(here, one['says'])}**"
    if not own:
        yield f"{plain(heading)} is a number under which {places.link(here, one['provision'])} is filed; its conditions and order stand there."
        yield from _rows(one.get("rows", ()), here, places)
        if not one.get("rows"):
            yield _steps(one, here, places)
        return
    yield f"It holds when {'; and '.join(places.told(here, words) for words in one['when'])}." if one["when"] else "It holds always."
    yield _steps(one, here, places)
    yield from _rows(one.get("rows", ()), here, places)
    if one["unless"]:
        yield "Excepted, where one of these applies:"
        yield "\n".join(f"- {_refs(item['refs'], here, places)}{_span(item)} ({_cites(item)}){_status(item)}" for item in one["unless"])
    if one["relations"]:
        yield "Order among duties:"
        yield "\n".join(f"- {_relation(item, here, places)}" for item in one["relations"])
    if one["if_unknown"]:
        yield "Where a fact is not stated:"
        yield "\n".join(
            f"- {plain(name)} is taken as {_taken(taken['take'])}: {plain(taken['because'])}" for name, taken in one["if_unknown"].items()
        )
    lists = [*one["lists"], *one.get("table", ())]
    if lists:
        yield "Lists:"
        yield "\n".join(f"- {_list(item['list'], here, places)}, {item['rows']:,} rows" for item in lists)
    for item in one.get("drawback", ()):
        says = f": {plain(item['says'])}" if item["says"] else ""
        yield f"Drawback{_span(item)}: {_DRAWBACK[item['allowed']]}{says} ({_cites(item)})"
    confidence = one["confidence"]
    if confidence["level"] != "high":
        yield f"Doubt: the book holds this with **{confidence['level']}** confidence, because {plain(confidence.get('because', ''))}."


def _steps(one: Data, here: str, places: Addresses) -> str:
    steps = [*one["steps"], *([{**one["ended"], "effect": "the program ends"}] if "ended" in one else [])]
    rows = [
        (plain(step["from"] or "always"), plain(step["until"] or ""), _effect(step, here, places), _acts(step, here, places), _cites(step))
        for step in steps
    ]
    return table(("From", "Until before", "What it does", "Act", "Citation"), rows)


def _effect(step: Data, here: str, places: Addresses) -> str:
    words = places.told(here, step["effect"])
    return f"<del>{words}</del> {plain(step['status'])}" if step["status"] != "law" else words


def _acts(what: Data, here: str, places: Addresses) -> str:
    found = act_link(what["by"], here, places) if what["by"] else ""
    if what["withdrawn_by"]:
        found += f"; withdrawn by {act_link(what['withdrawn_by'], here, places)}"
    return found


def act_link(act: Data, here: str, places: Addresses) -> str:
    """Return an act with the day of its signature, linked to where it stands among the acts."""
    return f"{places.link(here, 'act:' + act['id'], act['cite'])} of {act['signed']}"


def _cites(what: Data) -> str:
    return plain("; ".join(what["cites"]))


def _span(what: Data) -> str:
    if not (what["from"] or what["until"]):
        return ""
    return f", from {what['from'] or 'the start'}" + (f" until before {what['until']}" if what["until"] else "")


def _status(what: Data) -> str:
    return "" if what["status"] == "law" else f", {plain(what['status'])}"


def _refs(refs: Sequence[str], here: str, places: Addresses) -> str:
    return ", ".join(places.link(here, ref) if ref in places else plain(", ".join(refs_words([ref]))) for ref in refs)


def _relation(item: Data, here: str, places: Addresses) -> str:
    where = "on the part of the value it covers" if item["on"] == "part" else "on the whole article"
    owed = ", where more than nothing is owed" if item["test"] == "owed" else ""
    return f"it {item['role']} {_refs(item['refs'], here, places)}, {where}{owed}{_span(item)} ({_cites(item)}){_status(item)}"


def _list(words: str, here: str, places: Addresses) -> str:
    name, sign, chosen = words.removeprefix(_LIST).partition(" ")
    return f"{places.link(here, 'list:' + name, name)}{sign}{plain(chosen)}"


def _taken(take: Any) -> str:
    if take is None:
        return "not shown"
    return plain({True: "true", False: "false"}[take] if isinstance(take, bool) else take)


def _rows(rows: Sequence[Data], here: str, places: Addresses) -> Iterator[str]:
    """Yield the rows of its table that name a heading; those that differ only in origin or product stand together."""
    together: dict[tuple[tuple[str, str], ...], list[str]] = {}
    cites: dict[tuple[tuple[str, str], ...], dict[str, None]] = {}
    for row in rows:
        same = tuple((name, str(cell)) for name, cell in row.items() if name not in {"origin", "hts", "cite"})
        together.setdefault(same, []).append(" ".join(str(row[name]) for name in ("origin", "hts") if name in row) or "all")
        cites.setdefault(same, {})[row["cite"]] = None
    if not together:
        return
    yield "The rows of its table:"
    lines = []
    for cells, who in together.items():
        more = f" and {len(who) - _NAMED:,} more" if len(who) > _NAMED else ""
        told = f"{', '.join(who[:_NAMED])}{more}".replace("*", "every other origin")
        lines.append(
            (
                plain(told),
                places.told(here, ", ".join(f"{name.replace('_', ' ')} {cell}" for name, cell in cells)),
                plain("; ".join(cites[cells])),
            )
        )
    yield table(("Origin or product", "What the row says", "Citation"), lines)


def _events(events: Sequence[Data], here: str, places: Addresses) -> str:
    if not events:
        return ""
    rows = [
        (
            plain(one["effect"] or ""),
            plain(one["known"] or ""),
            plain(str(one["kind"]).replace("_", " ")),
            places.told(here, one["says"]),
            act_link(one["by"], here, places) if one["by"] else "",
        )
        for one in events
    ]
    return page("## What every act did", table(("For entries from", "Known from", "Kind", "What", "Act"), rows)).rstrip()
