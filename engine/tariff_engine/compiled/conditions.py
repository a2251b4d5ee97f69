"""Conditions as trees over two sets of bits: static ones (origin, product, day) and dynamic ones (facts, column, claims)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tariff_engine.compiled.form import ALL, ANY, FOREVER, NOT, SUBJECT, Atom, Node
from tariff_engine.evaluate.conditions import test_words
from tariff_engine.evaluate.derivation import Kind
from tariff_engine.money import percent_text
from tariff_engine.notation.conditions import BaseRate, NotOrigin, Products, Test, When

if TYPE_CHECKING:
    from tariff_engine.book import Book


@dataclass(frozen=True, slots=True)
class Bits:
    """What the bits mean: static ones by origin, day and product; dynamic ones by column, base rate and claim."""

    origins: tuple[tuple[int, frozenset[str], tuple[tuple[str, int, int], ...]], ...]
    dates: tuple[tuple[int, int, int], ...]
    products: dict[str, tuple[tuple[int, int, tuple[str, ...], int], ...]]
    columns: tuple[tuple[int, int], ...]
    rates: tuple[tuple[int, Fraction | None, Fraction | None], ...]
    claims: dict[str, int]


class ConditionCompiler:
    """Turns conditions into trees and hands out bits. Equal tests share a bit."""

    def __init__(self, book: Book, known_on: date, number: dict[str, int], bound: Callable[[date | None], int]) -> None:
        """Take the book, the knowledge day, the numbers of provisions and the collector of boundary days."""
        self.book, self.known_on, self.number, self.bound = book, known_on, number, bound
        self.tests: list[tuple[str, bool | Test | None]] = []  # None: not a test on a fact
        self._test_bit: dict[tuple[str, str], int] = {}
        self._static: dict[tuple[Any, ...], int] = {}
        self._origins: list[tuple[int, frozenset[str], tuple[tuple[str, int, int], ...]]] = []
        self._dates: list[tuple[int, int, int]] = []
        self._lists: dict[str, int] = {}  # a list, or a prefix: the static bits that it sets
        self._columns: dict[tuple[str, ...], int] = {}
        self._rates: dict[tuple[Fraction | None, Fraction | None], int] = {}
        self._claims: dict[str, int] = {}

    # ------------------------------------------------------------ bits
    def fact_bit(self, fact: str, test: bool | Test) -> int:
        """Return the number of the dynamic bit for a test on a fact."""
        key = (fact, test_words(test))
        if key not in self._test_bit:
            self._test_bit[key] = self._dynamic(fact, test)
        return self._test_bit[key]

    def _dynamic(self, fact: str, test: bool | Test | None) -> int:
        self.tests.append((fact, test))
        return len(self.tests) - 1

    def _static_bit(self, key: tuple[Any, ...]) -> tuple[int, bool]:
        if key in self._static:
            return self._static[key], False
        self._static[key] = len(self._static)
        return self._static[key], True

    def _origin(self, wanted: list[str]) -> int:
        bit, new = self._static_bit(("origin", *wanted))
        if new:
            plain = frozenset(name for name in wanted if not name.startswith("group:"))
            dated = []
            for name in wanted:
                for member in self.book.groups[name[6:]] if name.startswith("group:") else ():
                    if isinstance(member, str):
                        plain |= {member}
                    else:
                        start = self.bound(member.from_) if member.from_ else 0
                        dated.append((member.origin, start, self.bound(member.until) if member.until else FOREVER))
            self._origins.append((bit, plain, tuple(dated)))
        return bit

    def _day(self, start: int, end: int) -> int:
        bit, new = self._static_bit(("day", start, end))
        if new:
            self._dates.append((bit, start, end))
        return bit

    def _products(self, names: list[str]) -> int:
        """A product bit: on any of the lists or prefixes."""
        bit, new = self._static_bit(("products", *names))
        if new:
            for name in names:
                self._lists[name] = self._lists.get(name, 0) | 1 << bit
        return bit

    # ------------------------------------------------------------ trees
    def products_node(self, wanted: Products, owner: str) -> Node:
        """Return the condition "the number is among these products"."""
        return self.node(When(hts=wanted), owner)

    def node(self, when: When, owner: str) -> Node:
        """Return the tree of a condition; atoms stand in the order in which the naive evaluator reads them."""
        atoms: list[Atom] = []
        if when.origin is not None:
            atoms.append(self._origin_atom(when.origin))
        if when.entered is not None:
            start = self.bound(when.entered.from_) if when.entered.from_ else 0
            end = self.bound(when.entered.until) if when.entered.until else FOREVER
            words = f"entered {when.entered.from_ or ''} to {when.entered.until or ''}"
            known = self.book.known(when.entered, self.known_on)
            atoms.append(
                _atom(static=True, bit=self._day(start, end if known else start), kind=Kind.ENTERED, wanted=words, fact="entry_date")
            )
        if when.hts is not None:
            atoms.extend(self._product_atoms(when.hts))
        atoms.extend(self._line_atoms(when, owner))
        children: list[Node] = []
        if when.any is not None:
            children.append(Node(ANY, children=tuple(self.node(inner, owner) for inner in when.any)))
        if when.not_ is not None:
            children.append(Node(NOT, children=(self.node(when.not_, owner),)))
        if when.subject_to is not None:
            test = when.subject_to
            refs = tuple(self.number[name] for name in self.book.expand(test.any))
            children.append(Node(SUBJECT, refs=refs, owed=test.test == "owed", on_part=test.on == "part"))
        return Node(
            ALL,
            tuple(atoms),
            static_true=_mask(atoms, static=True, want=True),
            static_false=_mask(atoms, static=True, want=False),
            need_true=_mask(atoms, static=False, want=True),
            need_false=_mask(atoms, static=False, want=False),
            children=tuple(children),
        )

    def _origin_atom(self, origin: list[str] | NotOrigin) -> Atom:
        wanted = origin.not_ if isinstance(origin, NotOrigin) else origin
        negative = isinstance(origin, NotOrigin)
        words = ("any but " if negative else "") + ", ".join(wanted)
        return _atom(static=True, bit=self._origin(wanted), want=not negative, kind=Kind.ORIGIN, wanted=words, fact="origin")

    def _product_atoms(self, wanted: Products) -> list[Atom]:
        atoms: list[Atom] = []
        if wanted.in_ is not None or wanted.starts is not None:
            names = [*(wanted.in_ or []), *(wanted.starts or [])]
            atoms.append(_atom(static=True, bit=self._products(names), kind=Kind.PRODUCT, wanted=f"on {', '.join(names)}", fact="hts"))
        atoms.extend(
            _atom(static=True, bit=self._products([name]), want=False, kind=Kind.PRODUCT, wanted=f"not on {name}", fact="hts")
            for name in wanted.not_in or []
        )
        if wanted.chapter:
            words = f"in chapter {', '.join(wanted.chapter)}"
            atoms.append(_atom(static=True, bit=self._products(wanted.chapter), kind=Kind.PRODUCT, wanted=words, fact="hts"))
        if wanted.not_chapter:
            words = f"outside chapter {', '.join(wanted.not_chapter)}"
            atoms.append(
                _atom(static=True, bit=self._products(wanted.not_chapter), want=False, kind=Kind.PRODUCT, wanted=words, fact="hts")
            )
        return atoms

    def _line_atoms(self, when: When, owner: str) -> list[Atom]:
        atoms: list[Atom] = []
        if when.column is not None:
            key = tuple(when.column)
            if key not in self._columns:
                self._columns[key] = self._dynamic("", None)
            atoms.append(_atom(static=False, bit=self._columns[key], kind=Kind.COLUMN, wanted=", ".join(when.column), fact=""))
        if when.base_rate is not None:
            atoms.append(self._rate_atom(when.base_rate))
        if when.in_transit is not None:
            window = when.in_transit
            words = f"entered before {window.entered_before}"
            bit = self._day(0, self.bound(window.entered_before))
            atoms.append(_atom(static=True, bit=bit, kind=Kind.ENTERED, wanted=words, fact="entry_date"))
            if window.loaded_before:
                atoms.append(self._fact_atom("loaded_date", Test(before=window.loaded_before)))
                if not window.or_final_mode:
                    atoms.append(self._fact_atom("final_mode_differs", test=False))
            if window.exported_before:
                atoms.append(self._fact_atom("export_date", Test(before=window.exported_before)))
            if window.mode:
                atoms.append(self._fact_atom("mode", Test.model_validate({"in": window.mode})))
        atoms.extend(self._fact_atom(name, test) for name, test in (when.facts or {}).items())
        if when.claimed is not None:
            bare = owner.partition("/")[0]
            if bare not in self._claims:
                self._claims[bare] = self._dynamic("", None)
            atoms.append(
                _atom(static=False, bit=self._claims[bare], want=when.claimed, kind=Kind.CLAIM, wanted=bare, fact="exclusion_claims")
            )
        return atoms

    def _fact_atom(self, fact: str, test: bool | Test) -> Atom:
        return _atom(static=False, bit=self.fact_bit(fact, test), kind=Kind.FACT, wanted=test_words(test), fact=fact)

    def _rate_atom(self, bounds: BaseRate) -> Atom:
        key = (bounds.at_least, bounds.below)
        if key not in self._rates:
            self._rates[key] = self._dynamic("quantity", None)
        low = f"at least {percent_text(bounds.at_least)}" if bounds.at_least else ""
        high = f"below {percent_text(bounds.below)}" if bounds.below else ""
        words = " and ".join(word for word in (low, high) if word)
        return _atom(static=False, bit=self._rates[key], kind=Kind.BASE_RATE, wanted=words, fact="quantity")

    # ------------------------------------------------------------ what the bits mean
    def finish(self) -> Bits:
        """Return the meaning of every bit, with the product rows of all lists by code."""
        rows: dict[str, dict[tuple[int, int, tuple[str, ...]], int]] = {}
        for name, sets in self._lists.items():
            if not name.startswith("list:"):
                rows.setdefault(name, {}).setdefault((0, FOREVER, ()), 0)
                rows[name][0, FOREVER, ()] |= sets
                continue
            for row in self.book.tables[name].rows:
                if self.book.row_known(row, self.known_on):
                    start = self.bound(row.from_) if row.from_ != date.min else 0
                    key = (start, self.bound(row.until) if row.until != date.max else FOREVER, row.excepted)
                    found = rows.setdefault(row.hts, {})
                    found[key] = found.get(key, 0) | sets
        shared: dict[int, int] = {}
        products = {code: tuple((*key, shared.setdefault(mask, mask)) for key, mask in found.items()) for code, found in rows.items()}
        columns = {"general": 1, "special": 2, "column2": 4}
        return Bits(
            origins=tuple(self._origins),
            dates=tuple(self._dates),
            products=products,
            columns=tuple((1 << bit, sum(columns[name] for name in names)) for names, bit in self._columns.items()),
            rates=tuple((1 << bit, low, high) for (low, high), bit in self._rates.items()),
            claims={heading: 1 << bit for heading, bit in self._claims.items()},
        )


def _mask(atoms: list[Atom], *, static: bool, want: bool) -> int:
    mask = 0
    for atom in atoms:
        if atom.static == static and atom.want == want:
            mask |= 1 << atom.bit
    return mask


def _atom(*, static: bool, bit: int, kind: Kind, wanted: str, fact: str, want: bool = True) -> Atom:
    return Atom(static, bit, want, kind, wanted, fact)
