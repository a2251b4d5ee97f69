"""A law book as sentences: what every program, provision, list, relation and question says, each with the acts and the sources behind it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tariff_engine.notation.yaml_reader import read_document
from tariff_engine.problems import RulebookError
from tariff_service.condition_words import conditions, effect_words, join, list_words, refs_words
from tariff_service.law_reading import lists, row_cells

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tariff_engine.book import Book, Node
    from tariff_engine.notation.model import Member, Relation
    from tariff_engine.notation.program import Program, Step
    from tariff_engine.notation.tables import Row, Table
    from tariff_engine.notation.terms import Dated

Key = tuple[str, str]
_OWN = frozenset({"instruments.yaml", "facts.yaml", "filing.yaml", "origins.yaml", "relations.yaml", "book.yaml"})  # told thing by thing
_MOST_USERS = 6  # provisions that are named beside a list


@dataclass(frozen=True, slots=True)
class Facet:
    """One sentence of a thing. Sentences of one `key` are the same statement in two books; `place` pairs those whose key moved."""

    aspect: str
    text: str
    key: str = ""
    place: str = ""
    acts: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()


@dataclass
class Told:
    """A thing of a law book: what is said of it in one line, everything that makes it differ (`whole`), and its sentences."""

    says: str
    whole: str
    make: Callable[[], Iterable[Facet]]
    program: str = ""
    silent: frozenset[str] = frozenset()  # aspects that are not told of a thing that is new or gone as a whole

    @cached_property
    def facets(self) -> tuple[Facet, ...]:
        """The sentences, made when first asked for."""
        return tuple(self.make())


def thing_facets(book: Book) -> Iterator[tuple[Key, Told]]:
    """Yield the acts, programs, provisions, relations, origin groups, questions and the frame of a book."""
    for name, act in book.instruments.items():
        words = f"{act.title} ({act.cite}), signed {act.signed}, published {act.published}"
        yield ("act", name), Told(words, repr(act), _one("act", words, (name,)))
    for program in book.programs:
        whole = repr(program.model_copy(update={"provisions": ()}))
        yield (
            ("program", program.program),
            Told(program.title, whole, _later(_program, book, program), program.program, frozenset({"title", "examples"})),
        )
    for node in book.nodes.values():
        whole = repr(node.provision)
        yield (
            ("provision", node.id),
            Told(node.provision.says, whole, _later(_provision, book, node), node.program.program, frozenset({"sentence"})),
        )
    seen: dict[str, int] = {}
    for relation in book.relations.relations:
        words = relation_words(relation)
        key = f"{join(refs_words(relation.over), 'and')} over {join(refs_words(relation.excludes), 'and')}, {relation.on}, from {relation.from_}"
        seen[key] = seen.get(key, 0) + 1
        name = key if seen[key] == 1 else f"{key} ({seen[key]})"
        yield ("relation", name), Told(words, repr(relation), _one("relation", words, _acts(relation), tuple(relation.cite)))
    words = f"what is not said {book.relations.default} ({'; '.join(book.relations.default_cite)})"
    yield ("relation", "default"), Told(words, words, _one("relation", words))
    for name, refs in book.relations.sets.items():
        yield ("relation", f"set {name}"), Told(f"the set {name}", repr(refs), _later(_members, "member", refs_words(refs)))
    for name, members in book.groups.items():
        yield ("origins", name), Told(f"the group of origins {name}", repr(members), _later(_members, "member", map(_member, members)))
    for name, fact in book.facts.items():
        yield ("fact", name), Told(fact.question or fact.what or name, repr(fact), _later(_fields, fact))
    for name, piece in book.slices.items():
        yield ("fact", f"slice {name}"), Told(f"the part of the value {name}", repr(piece), _later(_fields, piece))
    yield from _frame(book)


def _frame(book: Book) -> Iterator[tuple[Key, Told]]:
    span = f"from {book.horizon.from_}, read up to {book.horizon.until}"
    yield ("frame", "horizon"), Told("the days that the book answers for", span, _one("horizon", span))
    yield ("frame", "edition"), Told("the edition of the book", book.edition, _one("edition", book.edition))
    eras = [f"from {era.from_}: {', '.join(era.order)}" for era in book.filing]
    yield ("frame", "filing order"), Told("the order in which headings are filed", repr(book.filing), _later(_members, "order", eras))
    more = [*(f"at most {one.numbers} numbers a line from {one.from_}" for one in book.limits), f"split lines: {', '.join(book.splits)}"]
    yield ("frame", "lines"), Told("how lines are filed", repr((book.limits, book.splits)), _later(_members, "rule", more))
    said = [one.says for one in book.contradictions]
    yield ("frame", "contradictions"), Told("facts that cannot hold together", repr(book.contradictions), _later(_members, "rule", said))
    for absent in book.absent:
        yield ("frame", f"not held: {absent.name}"), Told(absent.title, repr(absent), _one("absent", absent.title, (), tuple(absent.cite)))
    words = f"unmodelled: {', '.join(book.relations.unmodelled) or 'none'}"
    yield ("frame", "unmodelled headings"), Told("headings that rules name and the book lacks", words, _one("unmodelled", words))


def _later(make: Callable[..., Iterable[Facet]], *arguments: Any) -> Callable[[], Iterable[Facet]]:
    return lambda: make(*arguments)


def _one(aspect: str, text: str, acts: tuple[str, ...] = (), cites: tuple[str, ...] = ()) -> Callable[[], Iterable[Facet]]:
    return lambda: (Facet(aspect, text, aspect, "", acts, cites),)


def _acts(what: Dated) -> tuple[str, ...]:
    return tuple(name for name in (what.by, what.withdrawn_by) if name)


def _members(aspect: str, words: Iterable[str]) -> Iterator[Facet]:
    return (Facet(aspect, word, word) for word in words)


def _member(member: str | Member) -> str:
    return member if isinstance(member, str) else f"{member.origin}{_span(member)}"


def _span(what: Dated) -> str:
    words = f" from {what.from_}" if what.from_ else ""
    words += f" until {what.until}" if what.until else ""
    return words + (", called off" if what.withdrawn_by else "")


def _fields(model: BaseModel) -> Iterator[Facet]:
    for name in sorted(model.model_fields_set):  # what the file says; the rest is as the notation has it
        value = getattr(model, name)
        yield Facet(name, f"{name}: {value}", name)


# ---------------------------------------------------------------- programs and provisions
def _program(book: Book, program: Program) -> Iterator[Facet]:
    yield Facet("title", program.title, "title")
    if program.ended:
        yield Facet("end", f"the program ends on {program.ended.from_}", "end", "", _acts(program.ended), tuple(program.ended.cite))
    yield Facet("frame", f"filed as {program.files_as}, in the columns {', '.join(program.columns)}", "filed")
    yield Facet("frame", "only one of its duties stands on a line" if program.one_of else "its duties add up", "one_of")
    if program.ftz:
        yield Facet("frame", f"a foreign trade zone takes the rate of {program.ftz.rate_of}", "ftz", "", (), tuple(program.ftz.cite))
    for place, rule in enumerate(program.rules98):
        words = f"under chapter 98 from {rule.from_ or 'the first day'}: " + json.dumps(
            rule.model_dump(exclude={"cite", "from_"}), default=str
        )
        yield Facet("chapter 98", words, str(place), "", (), tuple(rule.cite))
    for back in program.drawback:
        of = f" for {join(refs_words(back.of), 'and')}" if back.of else ""
        yield Facet("drawback", f"drawback{of}: {back.allowed}{_span(back)}", of, "", _acts(back), tuple(back.cite))
    for case in program.outside:
        words = f"{case.says} ({'; '.join(conditions(book, case.when))})"
        yield Facet("outside", words, case.says, "", (), tuple(case.cite))
    for group in program.groups:
        order = " before ".join(join(refs_words(rank)) for rank in group.order)
        yield Facet(
            "order", f"one of {group.name}: {order}{_span(group)}", f"{group.name}{_span(group)}", "", _acts(group), tuple(group.cite)
        )
    for offset in program.offsets:
        words = f"{offset.says} ({'; '.join(conditions(book, offset.when))})"
        yield Facet("offset", words + _span(offset), offset.offset, "", _acts(offset), tuple(offset.cite))
    if program.examples:
        yield Facet("examples", f"{len(program.examples)} examples", "examples")


def _provision(book: Book, node: Node) -> Iterator[Facet]:
    provision = node.provision
    yield Facet("sentence", provision.says, "sentence")
    for step in provision.steps:
        words = step_words(step)
        yield Facet("step", words, f"{step.from_}|{step.by}", effect_words(step), _acts(step), tuple(step.cite))
    yield from (Facet("condition", words, words) for words in conditions(book, provision.when))
    for unless in provision.unless:
        words = f"not where {join(refs_words(unless.any))} holds{_span(unless)}"
        yield Facet("exception", words, f"{unless.from_}", "", _acts(unless), tuple(unless.cite))
    for ref in provision.table or ():
        yield Facet("table", f"charges by {list_words(ref)}, looked up by {join(provision.look_up or (), 'and')}", ref)
    for name, assumed in provision.if_unknown.items():
        words = f"where nobody states {name}, it is taken as {_taken(assumed.take)}: {assumed.because}"
        yield Facet("question", words, name)
    if provision.claim_partial:
        yield Facet("question", f"a described article is claimed by {provision.claim_partial}", "claim")
    if provision.filed:
        yield Facet("filing", "filed even where another duty takes its place", "filed")
    if provision.confidence:
        yield Facet("doubt", f"confidence {provision.confidence.level}: {provision.confidence.because}", "doubt")


def _taken(value: object) -> str:
    return "unknown" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def step_words(step: Step) -> str:
    """Return a dated step in words: from when until when it does what, and whether it was called off."""
    return f"from {step.from_}{f' until {step.until}' if step.until else ''}: {effect_words(step)}{', called off' if step.withdrawn_by else ''}"


def relation_words(relation: Relation) -> str:
    """Return an order between duties as a sentence."""
    where = "is owed" if relation.test == "owed" else "applies"
    part = "" if relation.on == "article" else ", on the part of the value that it covers"
    over, excludes = join(refs_words(relation.over)), join(refs_words(relation.excludes), "and")
    return f"where {over} {where}, {excludes} is not due{part}{_span(relation)}"


# ---------------------------------------------------------------- lists
def list_facets(book: Book) -> Iterator[tuple[Key, Told]]:
    """Yield the lists of a book, a sentence a row."""
    users = {one["list"]: one["used_by"] for one in lists(book)}
    for name, table in book.tables.items():
        if not name.startswith("list:"):
            whole = book.files.get(f"lists/{name}.csv", "")
            by = f", used by {join(users[name], 'and')}" if 0 < len(users[name]) <= _MOST_USERS else ""
            yield ("list", name), Told(f"{len(table.rows):,} rows{by}", whole, _later(_rows, table))


def _rows(table: Table) -> Iterator[Facet]:
    for row in table.rows:
        cites = (row["cite"],) if row["cite"] else ()
        acts = tuple(name for name in (row.by, row.withdrawn_by) if name)
        identity = "|".join((row.hts, *row.excepted, row["origin"], row["number"]))
        yield Facet("row", row_words(table, row), f"{identity}|{row.from_}", identity, acts, cites)


def row_words(table: Table, row: Row) -> str:
    """Return a row of a list in words: its code or origin, what is cut out of it, its days, its other cells."""
    words = row.hts or row["origin"] or "row"
    if row.excepted:
        words += f" except {join(row.excepted)}"
    words += f" from {row.from_}" if row.from_ != date.min else ""
    words += f" until {row.until}" if row.until != date.max else ""
    words += ", called off" if row.withdrawn_by else ""
    silent = {"hts", "except", "from", "until", "by", "withdrawn_by", "cite", *(() if row.hts else ("origin",))}
    pairs = zip(table.columns, row_cells(table, row), strict=True)
    more = [f"{column} {cell}" for column, cell in pairs if cell and column not in silent]
    return words + (f" ({', '.join(more)})" if more else "")


# ---------------------------------------------------------------- the other files
def file_facets(book: Book) -> Iterator[tuple[Key, Told]]:
    """Yield the files whose content no other sentence tells: fees, de minimis, chapter 98, the schedule and so on."""
    for path, text in book.files.items():
        if path not in _OWN and not path.startswith("programs/") and path.removeprefix("lists/").removesuffix(".csv") not in book.tables:
            yield ("file", path), Told(path, _content(path, text), _later(_lines, path, text))


def _content(path: str, text: str) -> str:
    """Return what a file says, without its comments and layout."""
    if not path.endswith(".yaml"):
        return text
    try:
        return json.dumps(read_document(path, text).value, sort_keys=True, default=str)
    except RulebookError:
        return text


def _lines(path: str, text: str) -> Iterator[Facet]:
    """Yield the rows of a sheet, or the values of a YAML file by where they stand."""
    if not path.endswith(".yaml"):
        yield from (Facet("line", line, line) for line in text.splitlines()[1:])
        return
    try:
        value = read_document(path, text).value
    except RulebookError:
        value = text
    yield from (Facet("value", f"{where}: {said}", where) for where, said in _leaves(value, ""))


def _leaves(value: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        for place, item in enumerate(value):
            yield from _leaves(item, f"{where}[{place}]")
    else:
        yield where, ", ".join(map(str, value)) if isinstance(value, list) else str(value)
