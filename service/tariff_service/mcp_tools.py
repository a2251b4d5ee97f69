"""The tools of the MCP server: what each takes, and the functions of the service that answer it.

A tool is a name, words for the model that reads them, a JSON schema of its arguments, and a function of engine, book and arguments.
Problems of the input are `ProblemError`s here as everywhere; what speaks the protocol turns them into results.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tariff_engine.entry import assess_entry
from tariff_engine.facts import read_day
from tariff_engine.problems import ProblemError, refuse
from tariff_service.comparing import compare
from tariff_service.explaining import explain_entry
from tariff_service.law_reading import facts, provision
from tariff_service.timeline import timeline
from tariff_service.what_if import DAYS, MOST_DAYS, what_if

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.engine import Engine

Data = dict[str, Any]
_MAX_DEPTH = 60
_SURE_DIGITS = 15  # a decimal number of at most so many digits survives a binary float unchanged
_KNOWN_ON: Data = {
    "type": "string",
    "format": "date",
    "description": "Answer by the law as it was known on this day. Default: everything known.",
}
_ENTRY: Data = {
    "type": "object",
    "description": (
        "A flat line {hts, origin, entry_date, value, ...}, or an entry {entry_date, mode, ..., lines: [{hts, origin, value, ...}, ...]}. "
        "hts: 8 or 10 digits as text. origin: two letters of ISO 3166. value: dollars, best as text. Leave out what is not known: an unknown "
        "fact is asked for in `questions`, never guessed. The tool `facts` lists every fact."
    ),
}


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool: its name, what it is for, the schema of its arguments, and what answers."""

    name: str
    title: str
    says: str
    arguments: Data
    required: tuple[str, ...]
    answer: Callable[[Engine, Book, Data], Data]

    @property
    def schema(self) -> Data:
        """The JSON schema of the arguments."""
        return {"type": "object", "properties": self.arguments, "required": list(self.required), "additionalProperties": False}

    def call(self, engine: Engine, book: Book, arguments: Mapping[str, Any]) -> Data:
        """Answer a call. Raises ProblemError: an argument is missing, unknown or wrong, or what it asks for cannot be answered."""
        for name in arguments:
            if name not in self.arguments:
                raise refuse("unknown_argument", name[:60], f"{self.name} takes no {name[:60]}", f"send {', '.join(self.arguments)}")
        for name in self.required:
            if arguments.get(name) is None:
                raise refuse("argument_missing", name, f"{self.name} needs {name}", self.arguments[name]["description"])
        return self.answer(engine, book, {name: exact(value, name) for name, value in arguments.items() if value is not None})


def exact(value: Any, field: str, depth: int = 0) -> Any:
    """Return JSON data with every number exact. A client's library has made binary floats of its decimals: short ones are read back.

    Raises ProblemError: `inexact_number` for a number of more digits than a float keeps, `too_deep`.
    """
    if depth > _MAX_DEPTH:
        raise refuse("too_deep", field, f"{field[:60]} is nested more than {_MAX_DEPTH} levels deep", "send {facts, lines: [{facts}]}")
    if isinstance(value, float):
        number = Decimal(repr(value)) if math.isfinite(value) else None
        if number is None or len(number.as_tuple().digits) > _SURE_DIGITS:
            raise refuse("inexact_number", field, f"{value!r} is not exact", 'send the number as text, such as "1234.56"')
        return number
    if isinstance(value, dict):
        return {key: exact(item, f"{field}.{key}"[:200], depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [exact(item, field, depth + 1) for item in value]
    return value


def _day(arguments: Data, name: str) -> date | None:
    return read_day(name, arguments[name]) if name in arguments else None


def _map(arguments: Data, name: str) -> Data:
    if not isinstance(arguments[name], dict):
        raise refuse("wrong_type", name, f"{name} is no object", "send an object of facts")
    found: Data = arguments[name]
    return found


def _text(arguments: Data, name: str) -> str | None:
    value = arguments.get(name)
    if value is not None and not isinstance(value, str):
        raise refuse("wrong_type", name, f"{name} is no text", "send text")
    return value


def _assess(engine: Engine, _: Book, arguments: Data) -> Data:
    known_on, explain = _day(arguments, "known_on"), arguments.get("explain", "summary")
    if explain not in {"none", "summary", "full"}:
        raise refuse("unknown_value", "explain", f"explain is {str(explain)[:60]!r}", "send none, summary or full")
    return assess_entry(engine.at(known_on), arguments["entry"], explain, asked_on=known_on)


def _explain(engine: Engine, _: Book, arguments: Data) -> Data:
    return explain_entry(
        engine,
        arguments["entry"],
        known_on=_day(arguments, "known_on"),
        program=_text(arguments, "program"),
        line=_text(arguments, "line"),
    )


def _timeline(engine: Engine, book: Book, arguments: Data) -> Data:
    days = {name: _day(arguments, name) for name in ("from", "until", "known_on")}
    return timeline(engine, book, _map(arguments, "facts"), first=days["from"], until=days["until"], known_on=days["known_on"])


def _compare(engine: Engine, _: Book, arguments: Data) -> Data:
    return compare(engine, arguments["entry"], arguments["vary"], known_on=_day(arguments, "known_on"))


def _what_if(engine: Engine, _: Book, arguments: Data) -> Data:
    days = arguments.get("days", DAYS)
    if not isinstance(days, int) or isinstance(days, bool):
        raise refuse("wrong_type", "days", "days is a whole number", f"send 0 to {MOST_DAYS}")
    return what_if(engine, arguments["entry"], known_on=_day(arguments, "known_on"), days=days)


def _provision(_: Engine, book: Book, arguments: Data) -> Data:
    heading = _text(arguments, "heading") or ""
    try:
        return provision(book, heading, _day(arguments, "on"), _day(arguments, "known_on"))
    except ProblemError as error:
        field = "heading" if error.problem.field == "HEADING" else error.problem.field  # the command line speaks of its argument
        raise ProblemError(replace(error.problem, field=field)) from None


def _facts(engine: Engine, _: Book, __: Data) -> Data:
    return {"facts": facts(engine.at().law)}


TOOLS: tuple[Tool, ...] = (
    Tool(
        "assess",
        "Assess duties",
        "Which US customs duties, fees and totals an entry owes, heading by heading in filing order, with the range of the duty over what is "
        "not known, the questions that would settle it, warnings and savings. Amounts are dollars as text, exact to the cent.",
        {
            "entry": _ENTRY,
            "known_on": _KNOWN_ON,
            "explain": {
                "type": "string",
                "enum": ["none", "summary", "full"],
                "description": "How many verdicts on programs come with it: none, those that touch the goods (default), or all.",
            },
        },
        ("entry",),
        _assess,
    ),
    Tool(
        "explain",
        "Explain why and why not",
        "Why each duty program applies to the lines of an entry, and why every other one does not: the deciding condition, the value seen, "
        "the legal act with its dates, and what earlier law would have said.",
        {
            "entry": _ENTRY,
            "program": {"type": "string", "description": "Only this program, by its name."},
            "line": {"type": "string", "description": "Only the line with this id."},
            "known_on": _KNOWN_ON,
        },
        ("entry",),
        _explain,
    ),
    Tool(
        "timeline",
        "Follow a line over time",
        "How the duty of one line changes with the day of entry: every step with its cause, and steps that were announced and called off.",
        {
            "facts": {**_ENTRY, "description": "A flat line without entry_date: {hts, origin, value, ...}."},
            "from": {"type": "string", "format": "date", "description": "First day of entry. Default: where the law book begins."},
            "until": {"type": "string", "format": "date", "description": "Day of entry to stop before. Default: open."},
            "known_on": _KNOWN_ON,
        },
        ("facts",),
        _timeline,
    ),
    Tool(
        "compare",
        "Compare a line with itself",
        "The same entry under other origins, days, claims or knowledge days: a matrix of totals with the reason of each difference.",
        {
            "entry": _ENTRY,
            "vary": {
                "type": "object",
                "description": "Lists of values by the name of a fact; also known_on (days) and claims (maps of facts that go together).",
            },
            "known_on": _KNOWN_ON,
        },
        ("entry", "vary"),
        _compare,
    ),
    Tool(
        "what_if",
        "Find what would change the duty",
        "Which changes of facts would lower or raise the duty of each line, if true: claims, exclusions, contents, days. Each with its exact "
        "dollars, what must be shown, and the law. Never tell a user to state what is not true; another number, origin or value is never meant.",
        {
            "entry": _ENTRY,
            "days": {"type": "integer", "description": f"How many days the day of entry may move, 0 to {MOST_DAYS}. Default: {DAYS}."},
            "known_on": _KNOWN_ON,
        },
        ("entry",),
        _what_if,
    ),
    Tool(
        "provision",
        "Read the life of a heading",
        "A heading of chapter 99 from its first step to its last: rates, conditions, exceptions, lists, the acts behind them, citations.",
        {
            "heading": {"type": "string", "description": "A heading with or without its dots, or family:NAME."},
            "on": {"type": "string", "format": "date", "description": "Also say what was in force on this day of entry."},
            "known_on": _KNOWN_ON,
        },
        ("heading",),
        _provision,
    ),
    Tool(
        "facts",
        "List the facts",
        "Every fact that an entry or a line can state: its name, meaning, type, values, and which law asks for it.",
        {},
        (),
        _facts,
    ),
)
