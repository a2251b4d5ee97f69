"""The shape of a compiled rulebook: plain, picklable objects and integers. Dates are day ordinals; references are provision numbers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

FOREVER = 3652060  # one past the last day that a date can hold

# Nodes of a condition tree.
ALL, ANY, NOT, SUBJECT = range(4)


@dataclass(frozen=True, slots=True)
class Atom:
    """One test of a condition: which bit, whether it must be set, and the words for it. Static bits depend on origin, product and date only."""

    static: bool
    bit: int
    want: bool
    kind: str
    wanted: str
    fact: str


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a condition. ALL: every atom (as masks, and in order) and every child. ANY, NOT: children. SUBJECT: other provisions."""

    kind: int
    atoms: tuple[Atom, ...] = ()
    static_true: int = 0
    static_false: int = 0
    need_true: int = 0
    need_false: int = 0
    children: tuple[Node, ...] = ()
    refs: tuple[int, ...] = ()
    owed: bool = False
    on_part: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """Which parts of the value a base means: `whole`, a `slice` by number, or a `piece` mask to take (`part`) or to leave out (`less`)."""

    kind: str
    slice: int = -1
    mask: int = 0


@dataclass(frozen=True, slots=True)
class Effect:
    """A dated step of a provision, from an ordinal to an ordinal, known by its act's day of publication."""

    start: int
    end: int
    published: int
    kind: str  # one of the effects of a step (notation/program.py)
    rate: Fraction
    at_floor: str
    base: Reach
    base_if: tuple[tuple[Node, Reach], ...]
    covers: Reach | None
    columns: int
    companion: tuple[str, Reach, str] | None
    cites: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True)
class Edge:
    """A dated exception or relation: the provisions that take parts, on which test, and the citation."""

    start: int
    end: int
    refs: tuple[int, ...]
    cites: tuple[str, ...]
    by: str = ""
    owed: bool = False
    on_part: bool = False
    doubt: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A dated group: ranks of provisions, the first alive wins, inside a rank the lowest duty."""

    start: int
    end: int
    ranks: tuple[tuple[int, ...], ...]
    members: frozenset[int]
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class FamilyRow:
    """A row of a provision's table, known by itself: two that say the same are two."""

    start: int
    end: int
    order: tuple[int, bool, int, int]
    excepted: tuple[str, ...]
    origin: str
    heading: str
    effect: str
    rate: Fraction
    at_floor: str
    partial: bool
    loaded_before: int
    entered_before: int
    transit_mode: int  # the bit of the test on the mode of transport; -1 where any mode will do
    transit_heading: str
    transit_rate: Fraction
    cite: str
    by: str


@dataclass(frozen=True, slots=True)
class Override:
    """What one provision takes for a fact that nobody stated, instead of the dictionary's answer."""

    fact: str
    take: Any
    because: str
    bits: int
    true_bits: int


@dataclass(frozen=True, slots=True)
class CompiledProvision:
    """A provision with everything it needs to be decided."""

    index: int
    id: str
    heading: str
    program: int
    is_family: bool
    filed: bool
    says: str
    condition: Node
    effects: tuple[Effect, ...]
    unless: tuple[Edge, ...]
    relations: tuple[Edge, ...]
    overrides: tuple[Override, ...]
    by_hts: bool
    by_origin: bool
    table_words: str
    claim_bit: int
    confidence: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Keep:
    """What chapter 98 leaves of the value to a program, by the heading claimed."""

    prefix: str
    how: str


@dataclass(frozen=True, slots=True)
class Chapter98Rule:
    """What chapter 98 leaves of the value to a program from a day on; `terms` is "part", "all" or ""."""

    start: int
    exempt: bool
    terms: str
    keeps: tuple[Keep, ...]
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompiledOffset:
    """A stated amount set off against the duties of provisions."""

    name: str
    start: int
    end: int
    condition: Node
    fact: str
    against: frozenset[int]
    says: str
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompiledProgram:
    """One duty family."""

    index: int
    name: str
    title: str
    files_as: str
    columns: int
    one_of: bool
    by_admission: bool
    chapter98: tuple[Chapter98Rule, ...]  # the latest first
    outside: tuple[tuple[Node, str, tuple[str, ...]], ...]
    groups: tuple[Choice, ...]
    offsets: tuple[CompiledOffset, ...]
    provisions: tuple[int, ...]
    ended: Effect | None


@dataclass(frozen=True, slots=True)
class CompiledSlice:
    """A slice of the value: the mask of its parts, and what is taken where its content is not known."""

    name: str
    fact: str
    mask: int
    tiers: tuple[tuple[int, Fraction | None], ...]
    whole_if_unknown: bool
    silent_if: tuple[int, ...]
    because: str
    nothing: Override


@dataclass(frozen=True, slots=True)
class FactBits:
    """The bits that depend on one fact: by value for flags and words, by comparison for numbers."""

    fact: str
    tests: tuple[tuple[int, tuple[tuple[str, Any], ...] | bool], ...]
    all_bits: int


@dataclass
class CompiledBook:
    """The rulebook as known on a day, ready to decide lines."""

    id: str
    edition: str
    known_on: int
    horizon: tuple[int, int]
    bounds: list[int]
    provisions: tuple[CompiledProvision, ...]
    programs: tuple[CompiledProgram, ...]
    slices: tuple[CompiledSlice, ...]
    part_names: tuple[str, ...]
    columns: dict[str, int]
    # static bits
    origin_bits: tuple[tuple[int, frozenset[str], tuple[tuple[str, int, int], ...]], ...]
    date_bits: tuple[tuple[int, int, int], ...]
    product_rows: dict[str, tuple[tuple[int, int, tuple[str, ...], int], ...]]
    # dynamic bits
    fact_bits: dict[str, FactBits]
    derived: dict[str, tuple[str, ...]]
    ratios: dict[str, tuple[str, str]]
    ages: dict[str, str]
    column_bits: tuple[tuple[int, int], ...]
    rate_bits: tuple[tuple[int, Fraction | None, Fraction | None], ...]
    claim_bits: dict[str, int]
    all_claims: int
    bit_facts: tuple[str, ...]
    assume_true: int
    takes: dict[str, tuple[Any, str]]
    # tables of families
    families: dict[int, dict[str, tuple[FamilyRow, ...]]]
    group_members: dict[str, tuple[tuple[str, int, int], ...]]
    filing: tuple[tuple[int, dict[str, int]], ...]

    def overrides(self, provision: CompiledProvision, present: int, zero: int) -> dict[str, Override]:
        """Return what a provision takes for facts that nobody stated: its own, but nothing of a content where there is some of another."""
        return {rule.fact: rule for rule in provision.overrides} | self.silenced(present, zero)

    def silenced(self, present: int, zero: int) -> dict[str, Override]:
        """Return what is taken for contents of which nobody spoke where there is some of another: none."""
        silent = [piece for piece in self.slices if not piece.mask & present]
        return {
            piece.fact: piece.nothing for piece in silent if any(self.slices[other].mask & present & ~zero for other in piece.silent_if)
        }
