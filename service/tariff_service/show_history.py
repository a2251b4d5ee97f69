"""The history of a provision or a program as a person reads it: a picture of its rates over the days of entry, then what every act did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from tariff_service import bars
from tariff_service.history_events import few
from tariff_service.output import clean
from tariff_service.paper import Paper, plural
from tariff_service.show_explanation import act_words

Data = Mapping[str, Any]
_LANES = 12  # lanes of a picture, unless all are asked for
_CITES = 3
_SUBJECTS = 4
_LABEL = 24
_NARROWEST = 20
_DAY = timedelta(days=1)
_KINDS = {
    "announced": "announced",
    "took_effect": "takes effect",
    "amended": "changes",
    "ended": "ends",
    "paused": "paused",
    "withdrawn": "called off",
    "replaced": "replaced",
    "extended": "goes on",
    "retroactive": "reaches back",
}
_STATUS = {
    "in_force": "in force since {from}",
    "ended": "in force from {from}, ended on {until}",
    "ahead": "to begin on {from}",
    "never_in_force": "announced, and never in force",
    "not_yet_known": "not yet known",
}


def show_history(paper: Paper, found: Data, *, every: bool = False) -> None:
    """Write a history, as `history` returns it."""
    paper.title(found["name"], found["title"] or "")
    if found["known_on"]:
        paper.line(f"By the law as it was known on {found['known_on']}.", indent=0)
    _provisions(paper, found, every=every)
    _picture(paper, found, every=every)
    paper.head("Events" if found["order"] == "known" else "Events by the day of entry")
    if not found["events"]:
        paper.line("Nothing was announced.")
        return
    _events(paper, found, every=every)
    if not every and any(one["about"] == "list" or one.get("several") for one in found["events"]):
        paper.line("--all tells the rows of tables and the numbers of lists one by one.", indent=0)


# ---------------------------------------------------------------- provisions
def _provisions(paper: Paper, found: Data, *, every: bool) -> None:
    ones: Sequence[Data] = found["provisions"]
    if found["kind"] == "program" and not every and len(ones) > _SUBJECTS:
        count = {status: sum(one["status"] == status for one in ones) for status in _STATUS}
        words = ", ".join(f"{number} {status.replace('_', ' ')}" for status, number in count.items() if number)
        paper.line(f"{plural(len(ones), 'provision')} as of {found['as_of']}: {words}.", indent=0)
        return
    if not ones:
        paper.line("It has no provisions.", indent=0)
    for one in ones:
        ends = f", until {one['until']}" if one["status"] in {"in_force", "ahead"} and one["until"] else ""
        paper.item(f"{one['provision']} of {one['program']}: {_STATUS[one['status']].format(**one)}{ends}.", indent=0)
        paper.line(one["says"])


# ---------------------------------------------------------------- the picture
def _picture(paper: Paper, found: Data, *, every: bool) -> None:
    """Write a bar for each lane: its rates between the first day and the last, x where something was called off before it came."""
    lanes: Sequence[Data] = found["lanes"] if every else found["lanes"][:_LANES]
    off = [one for one in found["events"] if one["about"] == "rate" and one["outcome"] == "called_off" and one["kind"] != "announced"]
    days = [day for one in found["lanes"] for span in one["segments"] for day in (span["from"], span["until"]) if day]
    days += [one["effect"] for one in off]
    if not days:
        return
    first, last = date.fromisoformat(min(days)), max(date.fromisoformat(max(days)), date.fromisoformat(found["as_of"]))
    width = max(paper.console.width - _LABEL - 1, _NARROWEST)
    paper.head("Rates over the days of entry")
    for lane in lanes:
        marks = [one["effect"] for one in off if _concerns(one, lane)]
        label = few(lane["origins"][:_SUBJECTS]) if lane["origins"] else lane["provision"]
        label += f" +{len(lane['origins']) - _SUBJECTS}" if len(lane["origins"]) > _SUBJECTS else ""
        _row(paper, label.replace("*", "every other origin"), bars.bar(lane["segments"], marks, first, last, width))
        if found["kind"] == "heading" and len(lanes) <= _SUBJECTS:
            _narrow(paper, lane["segments"], first, last, width)
    if len(found["lanes"]) > len(lanes):
        paper.line(f"and {plural(len(found['lanes']) - len(lanes), 'more lane')}; --all shows them", indent=0)
    _row(paper, "", bars.axis(first, last, width))
    if off:
        _row(paper, "", "x was called off before it came")


def _narrow(paper: Paper, spans: Sequence[Data], first: date, last: date, width: int) -> None:
    """Write out what has no room in its bar."""
    told = [
        f"{bars.short(span)} on entries of {span['from']} to {date.fromisoformat(span['until']) - _DAY}"
        for span in spans
        if span["until"] and bars.ends(span, first, last, width)[1] - bars.ends(span, first, last, width)[0] < len(bars.short(span)) + 2
    ]
    for words in told:
        _row(paper, "", words)


def _concerns(event: Data, lane: Data) -> bool:
    if lane["provision"] not in event["provisions"]:
        return False
    return not event["origins"] or any(origin in event["origins"] for origin in lane["origins"])


def _row(paper: Paper, label: str, bar: str) -> None:
    shown = clean(label)
    shown = shown if len(shown) < _LABEL else f"{shown[: _LABEL - 3]}.."
    paper.console.print(Text(f"{shown:<{_LABEL}}", style="bold").append(bar, style="not bold"), no_wrap=True, crop=True)


# ---------------------------------------------------------------- events
def _events(paper: Paper, found: Data, *, every: bool) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), header_style="bold", expand=True)
    days = ("known", "effect") if found["order"] == "known" else ("effect", "known")
    for name in days:
        table.add_column("Known on" if name == "known" else "Entries from", no_wrap=True)
    table.add_column("Event", no_wrap=True)
    table.add_column("What the act did", ratio=1, overflow="fold")
    whole = found["kind"] == "program" or len(found["provisions"]) > 1
    for one in found["events"]:
        words = Text()
        for style, text in _words(one, whole=whole, every=every):
            words.append(f"{clean(text)}\n", style=style)
        words.rstrip()
        dim = "dim" if one["outcome"] == "called_off" else ""
        table.add_row(*(Text(one[name] or "-", style=dim) for name in days), Text(_kind(one), style=dim or "bold"), words)
    paper.console.print(table)


def _kind(one: Data) -> str:
    if one["about"] == "list" and one["kind"] != "retroactive":
        return "list"
    return _KINDS[one["kind"]]


def _words(one: Data, *, whole: bool, every: bool) -> Iterator[tuple[str, str]]:
    ahead = {"ahead": " (lies ahead)", "called_off": " (never came)" if one["kind"] == "announced" else ""}.get(one["outcome"], "")
    says = one["says"].removeprefix(f"{_KINDS[one['kind']]}: ")
    yield "", f"{says}{ahead}"
    origins = one["origins"]
    if origins:
        named = few(origins) if not every else ", ".join(origins)
        yield "", f"for {named.replace('*', 'every other origin')}"
    if whole and (len(one["provisions"]) > 1 or not origins):
        provisions = one["provisions"]
        yield "", ", ".join(provisions) if every or len(provisions) <= _SUBJECTS else plural(len(provisions), "provision")
    if every:
        for name, codes in one.get("numbers", {}).items():
            if codes:
                yield "", f"{name.replace('_', ' ')}: {' '.join(codes)}"
    if one["by"]:
        yield "dim", f"by {act_words(one['by'])}"
    else:
        yield "dim", "no act is named: as old as the rule"
    cites = one["cites"]
    if cites:
        more = f" and {len(cites) - _CITES} more" if len(cites) > _CITES and not every else ""
        yield "dim", f"see {'; '.join(cites if every else cites[:_CITES])}{more}"
