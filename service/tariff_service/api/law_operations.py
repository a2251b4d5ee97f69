"""What the OpenAPI document says of reading the law, of comparisons and of timelines."""

from __future__ import annotations

from typing import Any

from tariff_service.api.openapi import KNOWN_ON, PAGING, WHOLE, Parameter, Told, in_path, operation
from tariff_service.api.schemas import CODE, COUNT, COUNTRY, DAY, DOLLARS, FLAG, TEXT, WORDS, Schema, listed, maybe, record
from tariff_service.what_if import DAYS, MOST_DAYS
from tariff_service.what_if_changes import KINDS

LAW = "law"
CSV = "text/csv"
_OBJECT: Schema = {"type": "object"}
_TEXTS: Schema = listed(TEXT)
_NAME: Schema = {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,99}$"}
_DIGITS: Schema = {"type": "string", "pattern": "^[0-9]{1,10}$"}
_NUMBER: Schema = {"type": "string", "pattern": "^[0-9.]{8,13}$"}
_ACT: Schema = record({"id": WORDS, "title": WORDS, "cite": WORDS, "signed": DAY, "published": DAY}, {"url": TEXT}, "A legal act.")
_ON = Parameter("on", DAY, "As of this day of entry.")


def page(item: Schema, more: dict[str, Schema] | None = None) -> Schema:
    """Return the schema of a page of a list."""
    return record({**(more or {}), "items": listed(item), "next": maybe(TEXT)})


def _read(operation_id: str, summary: str, schema: Schema, **more: Any) -> dict[str, Any]:
    told = Told(
        "As the rulebook in use says it.",
        schema,
        headers=("Cache-Control", "Link") if "items" in schema["properties"] else ("Cache-Control",),
    )
    return operation(operation_id, summary, tag=LAW, answers={200: told}, cached=True, **more)


# ---------------------------------------------------------------- programs, provisions
_PROGRAM: dict[str, Schema] = {
    "program": _NAME,
    "title": WORDS,
    "files_as": _NAME,
    "begins": maybe(DAY),
    "ends": maybe(DAY),
    "ended_by": maybe(_ACT),
    "instruments": listed(_ACT, "The acts that made its steps, the earliest first: the first is its authority."),
    "cites": _TEXTS,
}
_IN_FORCE: Schema = record(
    {"effect": WORDS, "rate": maybe(TEXT), "since": maybe(DAY), "by": maybe(_ACT)}, what="The step of the day asked for."
)
_SUMMARY: Schema = record(
    {
        "provision": WORDS,
        "program": _NAME,
        "title": WORDS,
        "says": WORDS,
        "from": maybe(DAY),
        "until": maybe(DAY),
        "effect": WORDS,
        "withdrawn": FLAG,
    },
    {"in_force": _IN_FORCE},
)
PROGRAMS = _read(
    "list_programs",
    "List the programs of the law book",
    page(record({**_PROGRAM, "provisions": COUNT}, {"in_force": FLAG})),
    query=(_ON, KNOWN_ON, *PAGING),
)
_FRAME: dict[str, Schema] = {
    "chapter98": listed(_OBJECT, "What a chapter 98 claim leaves of the value, from a day on."),
    "foreign_trade_zone": maybe(_OBJECT),
    "drawback": listed(_OBJECT, "Whether duties paid come back as drawback."),
    "outside": listed(_OBJECT),
    "groups": listed(_OBJECT),
    "offsets": listed(_OBJECT),
    "lists": _TEXTS,
    "provisions": listed(_SUMMARY),
}
PROGRAM = _read(
    "read_program",
    "Read a program with its provisions",
    record({**_PROGRAM, **_FRAME}, {"in_force": FLAG}),
    path=(in_path("name", _NAME, "The name of a program, as the list of programs tells it."),),
    query=(_ON, KNOWN_ON),
    problems=(404,),
)
PROVISIONS = _read(
    "list_provisions",
    "List the provisions of the law book",
    page(_SUMMARY),
    what="In the order of the book; with a day, those in force on it.",
    query=(Parameter("program", _NAME, "Only those of this program."), _ON, KNOWN_ON, *PAGING),
    problems=(404,),
)
PROVISION = _read(
    "read_provision",
    "Read the life of a heading",
    record({"heading": WORDS, "on": maybe(DAY), "known_on": maybe(DAY), "provisions": listed(_OBJECT)}),
    what="Its sentence and conditions, every dated step with its act, its exceptions, relations and lists.",
    path=(
        in_path(
            "heading", {"type": "string", "pattern": "^[0-9a-z.:-]{1,100}$"}, "A heading of chapter 99, dotted or not, or family:NAME."
        ),
    ),
    query=(Parameter("variant", _NAME, "One of several provisions that share the heading."), _ON, KNOWN_ON),
    problems=(404,),
)

# ---------------------------------------------------------------- lists
LISTS = _read(
    "list_lists",
    "List the product and country lists",
    page(record({"list": _NAME, "columns": _TEXTS, "rows": COUNT, "used_by": _TEXTS, "not_in_book": _TEXTS})),
    query=PAGING,
)
_ROW: Schema = {
    "type": "object",
    "properties": {"row": COUNT, "hts": _DIGITS, "from": maybe(DAY), "until": maybe(DAY), "by": maybe(TEXT), "withdrawn_by": maybe(TEXT)},
    "required": ["row", "from", "until", "by", "withdrawn_by"],
}
ROWS = _read(
    "read_list",
    "Read the rows of a list",
    page(_ROW, {"list": _NAME, "columns": _TEXTS, "instruments": {"type": "object", "additionalProperties": _ACT}}),
    what="Codes stand at the digits that the law prints. As text/csv the columns are those of the law book.",
    path=(in_path("name", _NAME, "The name of a list."),),
    query=(
        Parameter("on", DAY, "Rows that stand on the list on this day."),
        Parameter("known_on", DAY, "Rows of acts that were published on or before this day and not called off."),
        Parameter("prefix", _DIGITS, "Rows whose code begins with these digits."),
        Parameter("hts", _NUMBER, "Rows that take this number, 8 or 10 digits, dotted or not."),
        *PAGING,
    ),
    problems=(404, 406),
)
ROWS["openapi_extra"][WHOLE]["responses"]["200"]["content"][CSV] = {"schema": TEXT}

# ---------------------------------------------------------------- facts
_FACT: Schema = record(
    {
        "fact": CODE,
        "type": CODE,
        "what": TEXT,
        "question": maybe(TEXT),
        "level": {"type": "string", "enum": ["line", "entry"]},
        "aliases": _TEXTS,
        "values": _TEXTS,
        "min": maybe({"type": "integer"}),
        "max": maybe({"type": "integer"}),
        "starts": maybe(TEXT),
        "not_stated": record({"taken": {}, "because": TEXT}),
        "derived_from": _TEXTS,
        "personal": FLAG,
    }
)
FACTS = _read("list_facts", "List the facts that can be stated", page(_FACT), query=PAGING)
COUNTRIES = _read("list_countries", "List the countries that can be named", page(record({"country": COUNTRY, "name": WORDS})), query=PAGING)

# ---------------------------------------------------------------- comparing, timeline
_RULEBOOK: Schema = record({"id": WORDS, "edition": WORDS, "horizon": DAY})
_CELL: dict[str, Schema] = {
    "lines": listed(_OBJECT),
    "fees": maybe(_OBJECT),
    "de_minimis": maybe(TEXT),
    "totals": maybe(_OBJECT),
    "problems": listed(_OBJECT),
}
_VARIED: Schema = {"type": "object", "description": "The value of each thing that varies."}
COMPARE = operation(
    "compare",
    "Compare an entry with itself under other facts",
    tag=LAW,
    what="Every combination of what varies is assessed; each cell names its differences from the base with the reason of each.",
    scope="assess",
    body=record(
        {"entry": {"type": "object", "description": "An entry, or one line, as in an assessment."}, "vary": _OBJECT},
        {"known_on": maybe(DAY)},
        "`vary` maps names of facts, `known_on` or `claims` (maps of facts) to lists of values.",
    ),
    answers={
        200: Told(
            "The matrix.",
            record(
                {
                    "rulebook": _RULEBOOK,
                    "engine": WORDS,
                    "known_on": maybe(DAY),
                    "vary": _OBJECT,
                    "base": record({"stated": _OBJECT, **_CELL}),
                    "cells": listed({"type": "object", "properties": {"varied": _VARIED}, "required": ["varied"]}),
                }
            ),
            headers=("ETag",),
        )
    },
    problems=(404,),
)
_CHANGE: Schema = {
    "type": "object",
    "description": "A change of facts, what it would change the duty by, what must be shown, and why.",
    "properties": {
        "kind": {"type": "string", "enum": sorted(KINDS)},
        "change": {"type": "object", "description": "The facts to state, as a line takes them."},
        "if_true": WORDS,
        "difference": {"type": "string", "description": "Dollars more, with a minus less: the line assessed again with the change."},
        "duty": DOLLARS,
        "totals": {"type": "object", "description": "The difference of the whole entry: duty, fees, total."},
        "headings": listed(TEXT),
        "proof": listed(_OBJECT),
        "reasons": listed(_OBJECT),
        "cites": _TEXTS,
        "stated": {"description": "What the line states now."},
        "example": FLAG,
        "of_the_entry": FLAG,
    },
    "required": ["kind", "change", "if_true", "difference", "duty", "totals", "headings", "proof", "reasons", "cites"],
}
WHAT_IF = operation(
    "what_if",
    "Find what would change the duty of each line",
    tag=LAW,
    what="The smallest changes of facts that would lower or raise the duty, if true. Each is verified: its dollars are those of the entry "
    "assessed again with the change. Another number, origin or value is never suggested.",
    scope="assess",
    body=record(
        {"entry": {"type": "object", "description": "An entry, or one line, as in an assessment."}},
        {
            "known_on": maybe(DAY),
            "days": {"type": "integer", "minimum": 0, "maximum": MOST_DAYS, "description": f"How far the day of entry may move; {DAYS}."},
        },
    ),
    answers={
        200: Told(
            "The changes, by line.",
            record(
                {
                    "rulebook": _RULEBOOK,
                    "engine": WORDS,
                    "known_on": maybe(DAY),
                    "days": COUNT,
                    "totals": maybe(_OBJECT),
                    "lines": listed(
                        {
                            "type": "object",
                            "properties": {"id": TEXT, "duty": maybe(DOLLARS), "lower": listed(_CHANGE), "higher": listed(_CHANGE)},
                            "required": ["id", "duty", "lower", "higher"],
                        }
                    ),
                    "never": listed(_OBJECT),
                }
            ),
            headers=("ETag",),
        )
    },
)
_STEP: Schema = {
    "type": "object",
    "properties": {
        "from": DAY,
        "until": maybe(DAY),
        "status": {"type": "string", "enum": ["law", "withdrawn"]},
        "rate": maybe(TEXT),
        "duty": maybe(DOLLARS),
        "total": maybe(DOLLARS),
        "headings": listed(_OBJECT),
        "changes": listed(_OBJECT),
    },
    "required": ["from", "until", "status", "changes"],
}
TIMELINE = operation(
    "timeline",
    "Follow the duty of a line over the days of entry",
    tag=LAW,
    what="Every fact of the dictionary may be a query parameter, but for entry_date; maps and lists as JSON. Steps are spans of days "
    "[from, until) that owe the same; `withdrawn` are steps that were announced and never came.",
    scope="assess",
    query=(
        Parameter("hts", _NUMBER, "The number of the line, 8 or 10 digits, dotted or not.", required=True),
        Parameter("origin", COUNTRY, "The country of origin.", required=True),
        Parameter("value", {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,2})?$"}, "The entered value in dollars.", required=True),
        Parameter("from", DAY, "The first day of entry that is looked at; left out: the first of the law book."),
        Parameter("until", DAY, "The first day that is not looked at any more; left out: whatever is scheduled."),
        KNOWN_ON,
    ),
    answers={
        200: Told(
            "The timeline.",
            record(
                {
                    "rulebook": _RULEBOOK,
                    "engine": WORDS,
                    "known_on": maybe(DAY),
                    "from": DAY,
                    "until": maybe(DAY),
                    "facts": _OBJECT,
                    "steps": listed(_STEP),
                    "withdrawn": listed(_STEP),
                }
            ),
            headers=("Cache-Control",),
        )
    },
    cached=True,
)
