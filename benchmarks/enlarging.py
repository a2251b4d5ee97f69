"""A synthetic enlargement of the real rulebook: every program several times over, under new headings, lists, relations and acts.

A copy is written in the notation and read by its own reader, so whatever the reader refuses in a rulebook it refuses here. What a copy has of its
own: its program, its headings (9903 becomes 9913, 9923, 9933), its families, sets, lists with all their rows, relations and acts. What it shares
with the law that it copies: facts, slices, countries, filing order, the schedule. Its examples are left out: they show duties of the real law.

Ways to copy, from what a law book grows by to the worst that it could:

- `days`: the same law again 12, 24 and 36 years later. No line of today meets it; its lists, conditions and dates are in the book.
- `origins`: the same law again for goods of other countries, which are invented. No line of a real country meets it; its products are the real ones.
- `displaced`: the same law again for the same lines, and each copy gives way to the program that it copies: four times as many provisions are
  live on a line, refer to four times as many others, and file nothing more than before.
- `adding`: the same law again for the same lines, on top: a line files four times as many headings and owes four times the additional duty.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from itertools import product
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import yaml

from tariff_engine.notation.yaml_reader import read_document

WAYS = ("days", "origins", "displaced", "adding")
YEARS = 12
_HEADING = re.compile(r"\b9903\.(?=\d\d\.\d\d)")
_NAMED = re.compile(r"\b(program|set|family):([a-z0-9-]+)")
_LIST = re.compile(r"\blist:([a-z0-9_]+)")
_OWN = frozenset({"program", "family", "offset", "by", "withdrawn_by"})  # keys whose word is a name of the copy
_TEXT = frozenset({"says", "cite", "because", "title", "default_cite"})  # keys whose words are for readers
_ASKED = frozenset({"any", "over"})  # keys that name provisions which take something from this one
_DAYS = frozenset({"from", "until", "loaded_before", "entered_before"})  # columns of lists
_ACT = "the-order-of-copies"


@dataclass(frozen=True)
class Copying:
    """One copy of the book: its number, how it is made, and the country that stands for each (only with `origins`)."""

    number: int
    way: str
    countries: dict[str, str] = field(default_factory=dict)

    # ------------------------------------------------------------ words
    def name(self, word: str) -> str:
        """Return a name of the copy: of a program, a family, a set, an act."""
        return f"{word}-{self.number}"

    def words(self, text: str) -> str:
        """Return a reference, a heading or a list of the copy."""
        text = _HEADING.sub(f"99{self.number - 1}3.", text)
        text = _NAMED.sub(lambda found: f"{found[1]}:{self.name(found[2])}", text)
        return _LIST.sub(lambda found: f"list:{found[1]}_{self.number}", text)

    def day(self, day: date) -> date:
        """Return a day of the copy."""
        return day.replace(year=day.year + YEARS * (self.number - 1)) if self.way == "days" else day

    def origin(self, name: str) -> str:
        """Return a country, or a group of countries, of the copy."""
        if self.way != "origins":
            return name
        if name.startswith("group:"):
            return f"{name}_{self.number}"
        return self.countries.get(name, self.all_origins)  # rows for every country are marked by a star

    @property
    def all_origins(self) -> str:
        """The group of all countries of the copy."""
        return f"group:others_{self.number}"

    # ------------------------------------------------------------ files
    def value(self, value: Any, key: str = "") -> Any:
        """Return what a file says, as the copy says it."""
        if isinstance(value, dict):
            return {name: self._inner(name, inner) for name, inner in value.items() if name != "examples"}
        if isinstance(value, list):
            if key in _ASKED and self.way == "displaced" and all(isinstance(one, str) for one in value):
                return list(dict.fromkeys([*value, *(self.words(one) for one in value)]))
            return [self.value(one, key) for one in value]
        if isinstance(value, date):
            return self.day(value)
        if not isinstance(value, str) or key in _TEXT:
            return value
        if key in _OWN:
            return self.name(value)
        return self.origin(value) if key == "origin" else self.words(value)

    def _inner(self, name: str, value: Any) -> Any:
        if name == "origin" and isinstance(value, dict):  # every origin but some
            return {"not": [self.origin(one) for one in _many(value["not"])]} if self.way != "origins" else self.all_origins
        return self.value(_many(value) if name in _ASKED and isinstance(value, str) else value, name)

    def program(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return a program file as the copy says it."""
        made: dict[str, Any] = self.value(value)
        for provision in made["provisions"]:
            if self.way == "displaced":
                provision.pop("filed", None)  # what is filed without a duty stays filed once
            if self.way == "origins":
                provision.setdefault("when", {}).setdefault("origin", self.all_origins)
        return made

    def sheet(self, text: str) -> str:
        """Return a list as the copy says it."""
        rows = list(csv.reader(io.StringIO(text)))
        change: dict[str, Callable[[str], str]] = dict.fromkeys(_DAYS, self._written)
        change |= {"by": self.name, "withdrawn_by": self.name, "origin": self.origin, "hts": str, "cite": str}
        by_place = [change.get(name, self.words) for name in rows[0]]
        made = [[work(cell) if cell else "" for work, cell in zip(by_place, row, strict=True)] for row in rows[1:]]
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([rows[0], *made])
        return out.getvalue()

    def _written(self, text: str) -> str:
        return self.day(date.fromisoformat(text)).isoformat()


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class _Dumper(yaml.SafeDumper):
    """Writes what stands twice twice."""

    def ignore_aliases(self, data: Any) -> bool:
        """Tell that nothing is named by an anchor."""
        del data
        return True


def _write(path: Path, value: Any) -> None:
    path.write_text(yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True), encoding="utf-8")


def _read(path: Path) -> Any:
    return read_document(path.name, path.read_text(encoding="utf-8")).value


def enlarge(root: Path, into: Path, way: str, copies: int = 3) -> Path:
    """Write a rules folder that holds the law of another so many times more, and return it."""
    if way not in WAYS:
        raise SystemExit(f"a book is enlarged by one of {', '.join(WAYS)}")
    shutil.copytree(root, into, ignore=shutil.ignore_patterns("schedule", "__pycache__", "*.py"))
    (into / "schedule").symlink_to(root / "schedule")
    (into / "chapter99.csv").unlink()  # what the official text prints is not what this book holds
    (into / "coverage.yaml").unlink()
    invented = _invent(into / "countries.csv") if way == "origins" else {}
    made = [Copying(number, way, invented) for number in range(2, copies + 2)]
    _frame(into, made)
    for path in sorted((into / "programs").rglob("*.yaml")):
        value = _read(path)
        for copying in made:
            _write(path.with_name(f"{path.stem}_{copying.number}.yaml"), copying.program(value))
    for path in sorted((into / "lists").glob("*.csv")):
        for copying in made:
            text = copying.sheet(path.read_text(encoding="utf-8"))
            path.with_name(f"{path.stem}_{copying.number}.csv").write_text(text, encoding="utf-8")
    return into


def _invent(path: Path) -> dict[str, str]:
    """Add an invented country for each real one to a table, and return which stands for which."""
    text = path.read_text(encoding="utf-8")
    header, *rows = list(csv.reader(io.StringIO(text)))
    real = sorted(row[header.index("iso2")] for row in rows)
    free = [one + two for one, two in product(ascii_uppercase, repeat=2) if one + two not in real]
    found = dict(zip(real, free, strict=False))
    cells = [{"iso2": code, "name": f"The other {name}"} for name, code in found.items()]
    path.write_text(text + "".join(",".join(row.get(name, "") for name in header) + "\n" for row in cells), encoding="utf-8")
    return found


def _frame(into: Path, made: list[Copying]) -> None:
    """Write the files that all programs share: relations, acts, groups of origins, the horizon."""
    relations, acts, groups, book = (_read(into / f"{name}.yaml") for name in ("relations", "instruments", "origins", "book"))
    own = {name: list(relations[name]) if name == "relations" else dict(relations[name]) for name in ("relations", "sets")}
    texts = [
        path.read_text(encoding="utf-8")
        for path in (into / "relations.yaml", *(into / "programs").rglob("*.yaml"), *(into / "lists").glob("*.csv"))
    ]
    named = {word for text in texts for word in re.findall(r"[a-z0-9][a-z0-9_-]*", text)}
    known, members = {name: act for name, act in acts["instruments"].items() if name in named}, dict(groups["groups"])
    programs = sorted(_read(path)["program"] for path in (into / "programs").rglob("*.yaml"))
    for copying in made:
        relations["sets"] |= {copying.name(name): [copying.words(ref) for ref in _many(refs)] for name, refs in own["sets"].items()}
        relations["relations"] += [copying.value(one) for one in own["relations"]]
        acts["instruments"] |= {copying.name(name): copying.value(act) for name, act in known.items()}
        if copying.way == "origins":
            groups["groups"] |= {f"{name}_{copying.number}": _moved(copying, some) for name, some in members.items()}
            groups["groups"][f"others_{copying.number}"] = list(copying.countries.values())
        if copying.way == "displaced":
            first = date(2018, 7, 6)
            relations["relations"] += [
                {"from": first, "over": f"program:{name}", "excludes": f"program:{copying.name(name)}", "by": _ACT, "cite": "The copy"}
                for name in programs
            ]
            acts["instruments"][_ACT] = {"title": "The order of copies", "signed": first, "published": first, "cite": "The copies"}
        book["horizon"]["until"] = max(book["horizon"]["until"], copying.day(book["horizon"]["until"]))
        relations["unmodelled"] = [*relations.get("unmodelled", ()), *(copying.words(ref) for ref in relations.get("unmodelled", ()))]
    for name, value in (("relations", relations), ("instruments", acts), ("origins", groups), ("book", book)):
        _write(into / f"{name}.yaml", value)


def _moved(copying: Copying, members: list[Any]) -> list[Any]:
    """Return the members of a group as the copy has them, each once."""
    named = [one if isinstance(one, str) else one["origin"] for one in members]
    return list(dict.fromkeys(copying.origin(one) for one in named))
