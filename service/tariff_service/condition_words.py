"""Conditions of the law book in plain words, so that a reader needs no grammar."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tariff_engine.money import percent_text
from tariff_engine.notation.conditions import InTransit, NotOrigin, Products, SubjectTo, Test, When
from tariff_engine.notation.program import Piece, Step

if TYPE_CHECKING:
    from tariff_engine.book import Book

_COLUMNS = {"general": "column 1 general", "special": "column 1 special", "column2": "column 2"}


def conditions(book: Book, when: When) -> list[str]:
    """Return one sentence, without a full stop, for every condition that must hold."""
    found: list[str] = []
    if when.origin is not None:
        found.append(_origin(when.origin))
    if when.hts is not None:
        found.extend(_products(when.hts))
    for name, test in (when.facts or {}).items():
        found.append(_fact(book, name, test))
    if when.claimed is not None:
        found.append("the heading is claimed" if when.claimed else "the heading is not claimed")
    if when.column:
        found.append(f"the line is in {join(_COLUMNS[column] for column in when.column)}")
    if when.entered is not None:
        found.append(_span("the goods are entered", when.entered.from_, when.entered.until))
    if when.in_transit is not None:
        found.append(_in_transit(when.in_transit))
    if when.base_rate is not None:
        rate = when.base_rate
        tests = [
            f"below {percent_text(rate.below)}" if rate.below is not None else "",
            f"at least {percent_text(rate.at_least)}" if rate.at_least is not None else "",
        ]
        found.append(f"the base rate is {join(filter(None, tests), 'and')}")
    if when.subject_to is not None:
        found.append(_subject(when.subject_to))
    if when.any:
        found.append("either " + ", or ".join(_together(book, branch) for branch in when.any))
    if when.not_ is not None:
        found.append(f"it is not so that {_together(book, when.not_)}")
    return found


def _together(book: Book, when: When) -> str:
    return " and ".join(conditions(book, when)) or "nothing else is asked"


def join(words: Iterable[str], last: str = "or") -> str:
    """Join words as a sentence does: a, b or c."""
    found = list(words)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} {last} {found[-1]}" if found else ""


def _name(origin: str) -> str:
    return f"the group {origin[6:]}" if origin.startswith("group:") else origin


def _origin(origin: list[str] | NotOrigin) -> str:
    if isinstance(origin, NotOrigin):
        return f"the origin is not {join(_name(one) for one in origin.not_)}"
    return f"the origin is {join(_name(one) for one in origin)}"


def list_words(ref: str) -> str:
    """Return the reference to a list in words: its name, and what is selected of it."""
    name, *selections = ref.removeprefix("list:").split(" ")
    chosen = [f"{column} {join(values.split('|'))}" for column, _, values in (selection.partition("=") for selection in selections)]
    return f"list {name}" + (f" ({', '.join(chosen)})" if chosen else "")


def _products(products: Products) -> list[str]:
    inside = [list_words(ref) for ref in products.in_ or ()]
    if products.starts:
        inside.append(f"the numbers that begin with {join(products.starts)}")
    found = [f"the number is on {join(inside)}"] if inside else []
    if products.not_in:
        found.append(f"the number is not on {join(list_words(ref) for ref in products.not_in)}")
    if products.chapter:
        found.append(f"the number is in chapter {join(products.chapter)}")
    if products.not_chapter:
        found.append(f"the number is not in chapter {join(products.not_chapter)}")
    return found


def _fact(book: Book, name: str, test: bool | Test) -> str:
    if isinstance(test, bool):
        return f"{name} is {'true' if test else 'false'}"
    unit = "%" if book.facts[name].type == "pct" else ""
    tests = [
        f"is {test.is_}" if test.is_ is not None else "",
        f"is {join(test.in_)}" if test.in_ else "",
        f"is above {test.above}{unit}" if test.above is not None else "",
        f"is at least {test.at_least}{unit}" if test.at_least is not None else "",
        f"is below {test.below}{unit}" if test.below is not None else "",
        f"is before {test.before}" if test.before is not None else "",
        f"is {test.from_} or later" if test.from_ is not None else "",
    ]
    return f"{name} {join(filter(None, tests), 'and')}"


def _span(words: str, start: object, end: object) -> str:
    return " ".join(filter(None, (words, f"from {start} on" if start else "", f"before {end}" if end else "")))


def _in_transit(window: InTransit) -> str:
    done = f"loaded before {window.loaded_before}" if window.loaded_before else f"exported before {window.exported_before}"
    by = f", by {join(window.mode)}" if window.mode else ""
    by += ", whatever the final mode of transit" if window.or_final_mode else ""
    return f"the goods were {done} and are entered before {window.entered_before}{by}"


def _subject(test: SubjectTo) -> str:
    part = "the part of the value" if test.on == "part" else "the article"
    owed = "more than nothing is owed" if test.test == "owed" else "the article is subject"
    return f"{part} is one on which {owed} under {join(refs_words(test.any))}"


def refs_words(refs: Iterable[str]) -> list[str]:
    """Return references in words."""
    return [ref.replace("program:", "any heading of ").replace("set:", "the set ").replace("..", " to ") for ref in refs]


_PLAIN = {
    "exempt": "exempts",
    "prohibited": "prohibits",
    "ended": "ends",
    "authorized": "lets a duty be imposed, which nobody did",
    "table": "charges what the row of its table says",
}


def effect_words(step: Step) -> str:
    """Return what a step does."""
    if step.add is not None:
        words = f"adds {percent_text(step.add)}"
    elif step.up_to is not None:
        words = f"makes the duty up to {percent_text(step.up_to)} in all" + (
            f" (filed as {step.at_floor} where nothing is added)" if step.at_floor else ""
        )
    elif step.in_lieu is not None:
        words = f"charges {percent_text(step.in_lieu)} in place of the rate of the column"
    else:
        words = next(words for name, words in _PLAIN.items() if getattr(step, name))
    if step.base != "value" and not step.ended:
        words += f", on {base_words(step.base)}"
    for other in step.base_if:
        words += f"; on {base_words(other.base)} where {join(_products(other.hts), 'and')}"
    if step.covers:
        words += f", for {step.covers.replace('_', ' ')}"
    if step.columns:
        words += f", in {join(_COLUMNS[column] for column in step.columns)} only"
    if step.companion:
        words += f"; the rest of the value is filed as {step.companion.heading}"
    return words


def base_words(base: str | Piece) -> str:
    """Return the part of the value that a duty is charged on."""
    if isinstance(base, str):
        return "the whole value" if base in {"value", "whole"} else f"the {base.replace('_', ' ')}"
    cap = f" (at most {percent_text(base.cap)} of it)" if base.cap is not None else ""
    if base.part:
        return f"the {base.part.replace('_', ' ')}{cap}"
    return f"the value less the {(base.less or '').replace('_', ' ')}{cap}"
