"""From a loaded rulebook to the law that answers: compile it as known on a day, and read schedule, preferences, fees and de minimis."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from importlib.resources.abc import Traversable
from typing import Any

from tariff_engine.adcvd_order_rules import FILE as ORDERS
from tariff_engine.adcvd_order_rules import read_orders
from tariff_engine.adcvd_orders import NO_ORDERS
from tariff_engine.book import Book
from tariff_engine.chapter98_files import read_chapter98
from tariff_engine.compiled.compile import compile_book
from tariff_engine.deminimis_rules import parse_de_minimis
from tariff_engine.fee_rules import parse_fees
from tariff_engine.law import Act, CalledOff, Contradiction, DrawbackRule, FactSpec, Law, NotInBook, SliceSpec
from tariff_engine.notation.conditions import NotOrigin
from tariff_engine.notation.model import Absent
from tariff_engine.notation.program import EFFECTS
from tariff_engine.notation.yaml_reader import Document
from tariff_engine.preferences_files import load_preferences
from tariff_engine.problems import refuse
from tariff_engine.refund_law import NO_REFUNDS
from tariff_engine.refund_rules import parse_refunds
from tariff_engine.schedule_files import load_schedule

_REFUNDS = "refunds.yaml"  # a rulebook may do without


def build_law(book: Book, root: Traversable, known_on: date = date.max, without: frozenset[str] = frozenset()) -> Law:
    """Build the law as known on a day from a loaded rulebook, perhaps without some of its programs, as if they had never been made.

    Raises RulebookError where a file of the frame is wrong, ProblemError for a program that is not in the book.
    """
    fees = parse_fees(Document(book.files["fees.yaml"]).value, list(csv.DictReader(io.StringIO(book.files["mpf.csv"]))))
    de_minimis = parse_de_minimis(Document(book.files["de_minimis.yaml"]).value)
    acts = {name: Act(a.title, a.signed, a.published, a.cite, a.url) for name, a in book.instruments.items()}
    for extra in (fees.rules.instruments, de_minimis.instruments):
        acts |= {name: Act(a.title, a.signed, a.published, a.cite, a.url) for name, a in extra.items()}
    frame = Document(book.files["chapter98.yaml"]).value
    refunds = parse_refunds(Document(book.files[_REFUNDS]).value) if _REFUNDS in book.files else NO_REFUNDS
    orders = read_orders(book.files[ORDERS]) if ORDERS in book.files else NO_ORDERS
    kept = book.lacking(without) if without else book
    return Law(
        id=book.id,
        edition=book.edition,
        start=book.horizon.from_,
        horizon=book.horizon.until,
        compiled=compile_book(kept, known_on),
        facts={name: _fact(name, fact) for name, fact in book.facts.items()},
        slices={name: SliceSpec(tuple(piece.facts)) for name, piece in book.slices.items()},
        countries=book.countries,
        instruments=acts,
        column2=_column2(book, known_on),
        called_off=_called_off(kept, known_on),
        drawback=_drawback(kept, known_on),
        contradictions=tuple(
            Contradiction(
                c.field, c.says, c.fix, dict(c.facts), (c.after[0], c.after[1]) if c.after else None, frozenset(c.origin_not or ())
            )
            for c in book.contradictions
        ),
        chapter98=read_chapter98(frame, book.files["chapter98.csv"]),
        absent=_known_absent(book, known_on),
        limits=tuple((limit.from_, limit.numbers) for limit in book.limits),
        splits=book.splits,
        schedule=load_schedule(root / "schedule"),
        preferences=load_preferences(root / "schedule"),
        fees=fees,
        de_minimis=de_minimis,
        known_on=known_on,
        refunds=refunds,
        orders=orders,
        without=without,
    )


def refit_law(law: Law, book: Book, known_on: date = date.max, without: frozenset[str] = frozenset()) -> Law:
    """Return the law of another day of knowledge, or without some programs, from one of the same book: what both share is not read again.

    The same as `build_law` in a third of its time. Raises ProblemError for a program that is not in the book, and `rules_changed` for another book:
    a law of two books would bear the name of one.
    """
    if book.id != law.id:
        message = f"the law in use was read from {law.id}, the rules now say {book.id}"
        raise refuse("rules_changed", "rules", message, "open the rules anew, or answer from a copy that nobody edits")
    kept = book.lacking(without) if without else book
    return replace(
        law,
        compiled=compile_book(kept, known_on),
        called_off=_called_off(kept, known_on),
        column2=_column2(book, known_on),
        drawback=_drawback(kept, known_on),
        absent=_known_absent(book, known_on),
        known_on=known_on,
        without=without,
        memory={},
    )


def _known_absent(book: Book, known_on: date) -> tuple[NotInBook, ...]:
    return tuple(_absent(book, item) for item in book.absent if book.known(item, known_on))


def _absent(book: Book, item: Absent) -> NotInBook:
    """Expand lists to codes and groups to countries; codes are taken whatever the dates of their rows, which say when law now in the book began."""
    wanted = item.origin.not_ if isinstance(item.origin, NotOrigin) else item.origin
    found = {member for name in wanted or () for member in _members(book, name)}
    codes = {row.hts for name in item.lists or () for row in book.tables[name].rows} | set(item.starts or ())
    barred = isinstance(item.origin, NotOrigin)
    return NotInBook(
        item.name,
        item.title,
        item.from_,
        item.until or date.max,
        None if barred or wanted is None else frozenset(found),
        frozenset(found) if barred else frozenset(),
        tuple(sorted(codes)),
        tuple(item.cite),
    )


def _members(book: Book, name: str) -> list[str]:
    if not name.startswith("group:"):
        return [name]
    return [member if isinstance(member, str) else member.origin for member in book.groups[name[6:]]]


def _fact(name: str, fact: Any) -> FactSpec:
    ratio = (fact.ratio[0], fact.ratio[1]) if fact.ratio else None
    values, answers, aliases = tuple(fact.values), tuple(fact.answers), tuple(fact.aliases)
    return FactSpec(
        name,
        fact.type,
        fact.what,
        fact.question,
        fact.level,
        aliases,
        ratio,
        fact.years_before_entry,
        fact.take,
        fact.because,
        answers,
        values,
        fact.starts,
        fact.min,
        fact.max,
        fact.ask,
        fact.personal,
    )


def _column2(book: Book, known_on: date) -> tuple[tuple[str, date, date], ...]:
    return tuple(
        (member, date.min, date.max) if isinstance(member, str) else (member.origin, member.from_ or date.min, member.until or date.max)
        for member in book.groups["column2"]
        if isinstance(member, str) or book.known(member, known_on)
    )


def _called_off(book: Book, known_on: date) -> dict[str, tuple[CalledOff, ...]]:
    """Steps of each program that were announced and called off, as far as both were known."""
    found: dict[str, list[CalledOff]] = {}
    for node in book.nodes.values():
        for step in node.provision.steps:
            if step.withdrawn_by and book.published(step.withdrawn_by) <= known_on and step.by:
                effect = next(name for name in EFFECTS if getattr(step, name) is not None)
                made = CalledOff(node.id, step.from_, step.until, effect, step.by, step.withdrawn_by)
                found.setdefault(node.program.program, []).append(made)
    return {name: tuple(steps) for name, steps in found.items()}


def _drawback(book: Book, known_on: date) -> dict[str, tuple[DrawbackRule, ...]]:
    """What each provision is told of drawback, as known."""
    found: dict[str, list[DrawbackRule]] = {}
    for program in book.programs:
        mine = {provision.id for provision in program.provisions}
        for rule in program.drawback:
            if not book.known(rule, known_on):
                continue
            sure = rule.confidence
            made = DrawbackRule(
                rule.from_ or date.min,
                rule.until or date.max,
                rule.allowed,
                rule.says,
                tuple(rule.cite),
                sure.level if sure else "high",
                sure.because if sure else "",
            )
            for name in book.expand(rule.of) if rule.of else mine:
                found.setdefault(name, []).append(made)
    return {name: tuple(rules) for name, rules in found.items()}
