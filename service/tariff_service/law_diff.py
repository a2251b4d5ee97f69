"""What changed from one law book to another: programs, provisions, lists, relations and questions that came, ended, went or differ.

Every thing of a book is told as a set of sentences with the acts and the sources behind each (`law_facets`); two books differ where the
sentences do. What no sentence covers is told as written otherwise, so that no difference is ever silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from tariff_service.law_facets import Facet, Told, file_facets, list_facets, thing_facets

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node

What = Literal["added", "ended", "removed", "changed"]
KINDS = ("act", "program", "provision", "list", "relation", "origins", "fact", "frame", "file")
"""The kinds of things that can differ, in the order in which they are told."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One sentence that came, went, or took the place of another; `acts` and `cites` are those of the newer one where there is one."""

    aspect: str
    before: str | None
    after: str | None
    acts: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()


@dataclass(slots=True)
class LawChange:
    """A thing that was added, has ended, was removed, or changed: its kind, its name, the program it is of, and what is said of it."""

    what: What
    kind: str
    name: str
    says: str
    program: str = ""
    details: list[Detail] = field(default_factory=list)


def law_changes(old: Book, new: Book) -> list[LawChange]:
    """Return everything that differs, in the order of `KINDS`, each kind in the order of its names."""
    was, now = _things(old), _things(new)
    found = [change for key in sorted({*was, *now}) if (change := _change(key, was.get(key), now.get(key))) is not None]
    for change in found:
        if _ended(old, new, change):
            change.what = "ended"
    return sorted(found, key=lambda one: (KINDS.index(one.kind), one.program, one.name))


def _things(book: Book) -> dict[tuple[str, str], Told]:
    return {**dict(thing_facets(book)), **dict(list_facets(book)), **dict(file_facets(book))}


def _change(key: tuple[str, str], was: Told | None, now: Told | None) -> LawChange | None:
    kind, name = key
    told = now or was
    if told is None or (was is not None and now is not None and was.whole == now.whole):
        return None
    if was is None or now is None:
        what: What = "added" if was is None else "removed"
        details = [_detail(one, None) if what == "removed" else _detail(None, one) for one in told.facets if one.aspect not in told.silent]
        return LawChange(what, kind, name, told.says, told.program, details)
    details = list(_details(was.facets, now.facets))
    if not details:
        details = [Detail("form", "written otherwise", "written otherwise")]
    return LawChange("changed", kind, name, now.says, now.program, details)


def _detail(before: Facet | None, after: Facet | None) -> Detail:
    shown = after or before
    aspect, acts, cites = (shown.aspect, shown.acts, shown.cites) if shown else ("", (), ())
    return Detail(aspect, before.text if before else None, after.text if after else None, acts, cites)


def _details(was: Iterable[Facet], now: Iterable[Facet]) -> Iterator[Detail]:
    """Yield the sentences that differ: those of one key side by side, then those that most likely took the place of one another."""
    old, new = _by_aspect(was), _by_aspect(now)
    for aspect in dict.fromkeys([*old, *new]):
        gone = [one for one in old.get(aspect, []) if one not in new.get(aspect, [])]
        come = [one for one in new.get(aspect, []) if one not in old.get(aspect, [])]
        for marks in ("key", "place"):
            for one in list(gone):
                other = next((two for two in come if getattr(one, marks) and getattr(one, marks) == getattr(two, marks)), None)
                if other is not None:
                    gone.remove(one)
                    come.remove(other)
                    yield _detail(one, other)
        yield from (_detail(one, None) for one in gone)
        yield from (_detail(None, one) for one in come)


def _by_aspect(facets: Iterable[Facet]) -> dict[str, list[Facet]]:
    found: dict[str, list[Facet]] = {}
    for one in facets:
        found.setdefault(one.aspect, []).append(one)
    return found


# ---------------------------------------------------------------- when a thing ends
def _ended(old: Book, new: Book, change: LawChange) -> bool:
    """Whether a provision ends sooner than it did, or a program now ends."""
    if change.what != "changed" or change.kind not in {"provision", "program"}:
        return False
    if change.kind == "program":
        return any(one.aspect == "end" and one.before is None for one in change.details)
    return _ends(new, change.name) < _ends(old, change.name)


def _ends(book: Book, name: str) -> date:
    node = book.nodes[name]
    days = [one.from_ for one in (*node.provision.steps, node.program.ended) if one is not None and one.ended and not one.withdrawn_by]
    return min([_last(node), *days])


def _last(node: Node) -> date:
    return max((step.until or date.max for step in node.provision.steps if not step.ended and not step.withdrawn_by), default=date.min)


# ---------------------------------------------------------------- plain data
def diff_data(old: Book, new: Book) -> dict[str, Any]:
    """Return the difference of two books as plain data: both books, the counts by kind, every change with its acts told once."""
    found = law_changes(old, new)
    names = {name for change in found for one in change.details for name in one.acts}
    acts = {name: act for name in sorted(names) if (act := new.instruments.get(name) or old.instruments.get(name)) is not None}
    counts: dict[str, dict[str, int]] = {}
    for change in found:
        kind = counts.setdefault(change.kind, {})
        kind[change.what] = kind.get(change.what, 0) + 1
    return {
        "from": _book(old),
        "to": _book(new),
        "counts": counts,
        "changes": [_plain(change) for change in found],
        "acts": {
            name: {"title": act.title, "cite": act.cite, "published": act.published.isoformat(), "url": act.url or None}
            for name, act in acts.items()
        },
    }


def _book(book: Book) -> dict[str, str]:
    return {"id": book.id, "edition": book.edition, "horizon": book.horizon.until.isoformat()}


def _plain(change: LawChange) -> dict[str, Any]:
    shown: dict[str, Any] = {"what": change.what, "kind": change.kind, "name": change.name, "program": change.program or None}
    details: list[Mapping[str, Any]] = [
        {"aspect": one.aspect, "before": one.before, "after": one.after, "acts": list(one.acts), "cites": list(one.cites)}
        for one in change.details
    ]
    return {**shown, "says": change.says, "details": details}
