"""The JSON Schemas of an answer, strict: what they do not name does not stand in an answer (docs/answer.md says what each member means)."""

from __future__ import annotations

from typing import Any, get_args

from tariff_engine.chapter98 import How
from tariff_engine.deminimis import Result
from tariff_engine.deminimis_law import Method
from tariff_engine.preferences import Column
from tariff_service.api.problems import catalogue
from tariff_service.api.schemas import (
    CODE,
    COUNTRY,
    DAY,
    DOLLARS,
    ENTRY_ID,
    FLAG,
    TEXT,
    WHOLE_DOLLARS,
    WORDS,
    Schema,
    listed,
    maybe,
    one_of,
    record,
)

KINDS = ("additional", "total", "exemption", "prohibited", "credit", "adcvd", "base")
VERDICTS = (
    "applies",
    "prohibited",
    "exempt",
    "displaced",
    "nothing_to_charge",
    "no_change_in_column",
    "outside",
    "origin_not_covered",
    "product_not_listed",
    "not_claimed",
    "fact_not_met",
    "condition_not_met",
    "fact_unknown",
    "never_imposed",
    "not_in_force",
)
_NUMBER: Schema = {"type": "string", "pattern": r"^[0-9]{4}\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{2})?)?$", "description": "HTS number"}
_HEADING: Schema = {
    "type": "string",
    "maxLength": 20,
    "description": "HTS number or case number; empty for a part of a total that no number reports",
}
_RATE: Schema = {"type": "string", "minLength": 1, "description": "percent, or the rate as the schedule prints it"}
_PERCENT: Schema = {"type": "string", "pattern": r"^(-?[0-9]+(\.[0-9]+)?%|free|Free)$"}
_CLASS: Schema = {"type": "string", "pattern": "^[0-9]{3}$", "description": "class code of the fee"}
_CITES = listed(WORDS, "where it stands in law")
_SAID: Schema = {"type": ["boolean", "string", "integer", "null"], "description": "the value of a fact; decimals and days are text"}
_HEADINGS = listed(_HEADING)
_RANGE = record(
    {"low": DOLLARS, "high": maybe(DOLLARS)},
    what="Lowest and highest duty over every combination of answers; null where a quantity is missing.",
)
_DRAWBACK = record(
    {
        "allowed": one_of("none", "manufacturing", "all", what="`manufacturing`: 19 U.S.C. 1313(a) and (b) only"),
        "cites": _CITES,
    },
    {"says": {**TEXT, "description": "on which conditions"}, "confidence": one_of("medium", "low"), "because": TEXT},
    "Whether the duty comes back as drawback; left out where the law read does not say.",
)
_DOUBT: dict[str, Schema] = {
    "confidence": one_of("medium", "low", what="how sure the law book is of the provision; left out: sure"),
    "doubt": {**TEXT, "description": "what the doubt is, with the reading that was chosen"},
}
_TAKEN = listed(record({"fact": WORDS, "taken": WORDS, "because": WORDS}), "what was taken for facts that nobody stated")
_ASKED = listed(record({"fact": WORDS, "matters": WORDS}), "facts that would settle it")

_LINE: dict[str, Any] = {
    "id": ENTRY_ID,
    "hts": _NUMBER,
    "origin": COUNTRY,
    "entry_date": DAY,
    "value": WHOLE_DOLLARS,
    "headings": listed("Heading", "HTS numbers in filing order, the chapter 1-97 number last"),
    "base": "Base",
    "duty": maybe(DOLLARS),
    "additional_duty": DOLLARS,
    "additional_rate": _PERCENT,
    "questions": listed("Question", "facts that nobody stated and that matter"),
    "assumptions": listed("Assumption", "what was taken for those facts"),
    "range": _RANGE,
    "warnings": listed("Notice"),
    "filing": record(
        {"lines": listed("FiledLine", "the lines to file: values sum to the entered value, duties to the headings")},
        {
            "chapter98": {**WORDS, "description": "the chapter 98 number claimed, which is filed first"},
            "spi": {**WORDS, "description": "the special program claimed"},
            "quantity": {"type": "object", "additionalProperties": WORDS, "description": "quantities as stated, by unit"},
        },
    ),
    "savings": listed("Saving", "answers that would lower the duty, if true, the largest first"),
}
_LINE_MORE: dict[str, Any] = {
    "prohibited": {"const": True, "description": "the goods may not enter"},
    "programs": listed("Verdict", "one verdict for every program of the book; with explain=summary, those that reach the line"),
    "otherwise": record({"duty": maybe(DOLLARS), "headings": _HEADINGS}, what="What an entry would have owed for goods that are released."),
    "released_by": WORDS,
}
FRAME: dict[str, Any] = {
    "fees": maybe("Fees"),
    "de_minimis": maybe("DeMinimis"),
    "filing": maybe("Filing"),
    "totals": maybe("Totals"),
}


def components() -> dict[str, Schema]:
    """Return the schemas of an answer by name. `EntryEcho` is made of the facts of the rulebook, elsewhere."""
    return {
        "Code": {**CODE, "enum": sorted(catalogue()), "description": "A kind of problem or warning; /problems/CODE says what it means."},
        "Answer": record(
            {
                "id": {
                    "type": "string",
                    "pattern": "^a-[0-9a-f]{24}$",
                    "description": "hash of the rulebook, the knowledge day and the question",
                },
                "rulebook": "RulebookName",
                "engine": {"type": "string", "pattern": r"^tariff-engine [0-9]+\.[0-9]+\.[0-9]+"},
                "known_on": maybe(DAY),
                "entry": "EntryEcho",
                "lines": {"type": "array", "minItems": 1, "maxItems": 999, "items": {"anyOf": [_ref("LineAnswer"), _ref("LineProblem")]}},
                **FRAME,
                "problems": listed("EntryProblem", "the problems of all lines; empty where every line is answered"),
            },
            what="The answer to an entry. The same request on the same rulebook gives the same bytes.",
        ),
        "RulebookName": record(
            {"id": WORDS, "edition": WORDS, "horizon": DAY},
            what="The rulebook: hash of its content, edition, last day to which law was read.",
        ),
        "LineAnswer": record(_LINE, _LINE_MORE, what="The answer on one line."),
        "LineProblem": record({"id": ENTRY_ID, "problem": "Notice"}, what="A line that cannot be assessed as stated."),
        **_line_parts(),
        **_frame_parts(),
        **_problems(),
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _line_parts() -> dict[str, Schema]:
    return {
        "Heading": record(
            {
                "heading": _HEADING,
                "program": WORDS,
                "rate": _RATE,
                "kind": one_of(*KINDS, what="`total` has the base duty included; `base` is the chapter 1-97 number"),
                "base_value": {**WHOLE_DOLLARS, "description": "the dollars that the rate is charged on"},
                "duty": maybe(DOLLARS),
                "says": TEXT,
                "cites": _CITES,
            },
            {
                "since": {**DAY, "description": "the day from which that rate runs"},
                "instrument": {**WORDS, "description": "the act that made it"},
                "announced": {**DAY, "description": "the day that act was published"},
                "retroactive": {"const": True, "description": "the act came after that day"},
                "drawback": _DRAWBACK,
                **_DOUBT,
            },
            "An HTS number to report, and its duty.",
        ),
        "Base": record(
            {
                "column": one_of(*get_args(Column)),
                "rate": _RATE,
                "edition": WORDS,
                "duty": maybe(DOLLARS),
                "full_duty": maybe(DOLLARS),
                "ave": maybe(_PERCENT),
            },
            {
                "special_program": WORDS,
                "claims_in_force": listed(WORDS, "Claims whose program covers the origin on the day."),
                "restored": record(
                    {"special_program": WORDS, "rate": _RATE, "refund": DOLLARS, "cites": _CITES},
                    {},
                    "A preference that had lapsed on the entry date and was given back later: base duty that is refunded on request.",
                ),
                "dutiable_value": WHOLE_DOLLARS,
                "chapter98": record(
                    {"number": WORDS, "treatment": one_of(*get_args(How)), "says": WORDS, "cites": _CITES},
                    {},
                    "The chapter 98 number under which the goods are entered, if it is honored.",
                ),
            },
            "The duty of the chapter 1-97 number: what is left on it, what it is in full, the ad valorem equivalent.",
        ),
        "Verdict": record(
            {"program": WORDS, "title": WORDS, "verdict": one_of(*VERDICTS), "because": WORDS, "cites": _CITES},
            {
                "provision": WORDS,
                "headings": _HEADINGS,
                "facts": {
                    "type": "object",
                    "additionalProperties": {"type": ["string", "null"]},
                    "description": "the value seen; null: not stated",
                },
                "instruments": listed(WORDS),
                "would_be": {**DOLLARS, "description": "what the duty would have been"},
                **_DOUBT,
            },
            "What became of a program on the line.",
        ),
        "Question": record(
            {
                "fact": WORDS,
                "asks": WORDS,
                "because": WORDS,
                "answers": listed(
                    record(
                        {"answer": _SAID, "duty": DOLLARS, "difference": DOLLARS, "headings": _HEADINGS},
                        what="An answer that changes the duty.",
                    )
                ),
            },
            {"taken": _SAID, "units": listed(WORDS, "the quantities to send"), "together_with": listed(WORDS)},
        ),
        "Assumption": record({"fact": WORDS, "taken": _SAID, "because": WORDS, "provisions": listed(WORDS)}),
        "FiledLine": record(
            {
                "value": WHOLE_DOLLARS,
                "parts": listed(WORDS, "the parts of the value that law treats apart"),
                "numbers": listed(record({"heading": _HEADING, "rate": _RATE, "duty": maybe(DOLLARS)})),
            },
            {"adcvd": listed(record({"case": _HEADING, "rate": _RATE, "duty": DOLLARS}), "antidumping and countervailing deposits")},
        ),
        "Saving": record({"fact": WORDS, "if_true": WORDS, "answer": _SAID, "saves": DOLLARS, "duty": DOLLARS, "headings": _HEADINGS}),
    }


def _frame_parts() -> dict[str, Schema]:
    number: dict[str, Any] = {"type": "integer", "minimum": 1}
    reason = record(
        {"row": WORDS, "type": {"type": "string", "pattern": "^[0-9]{2}$"}, "lines": listed(number), "says": WORDS, "cites": _CITES}
    )
    exempt = record({"line": {"type": "integer", "minimum": 1}, "says": TEXT, "cites": _CITES})
    return {
        "Fees": record(
            {
                "mpf": DOLLARS,
                "hmf": DOLLARS,
                "detail": record({"mpf": "Fee", "hmf": "Fee"}),
                "entry_type": record({"code": {"type": "string", "pattern": "^([0-9]{2})?$"}, "says": WORDS, "cites": _CITES}),
            },
            {"assumptions": _TAKEN, "questions": _ASKED, "warnings": listed("Notice")},
            "The merchandise processing fee and the harbor maintenance fee of the entry.",
        ),
        "Fee": record(
            {"amount": DOLLARS, "rate": WORDS, "base_value": WHOLE_DOLLARS, "says": WORDS, "cites": _CITES},
            {
                "low": {**DOLLARS, "description": "what is due if the assumption behind it is wrong"},
                "high": {"type": "null", "description": "the amounts of the fiscal year are not known: more may be due"},
                "surcharge": record(
                    {"amount": DOLLARS, "class_code": _CLASS, "says": TEXT, "cites": _CITES},
                    what="what `amount` holds for an entry on paper",
                ),
                "class_code": _CLASS,
                "exempt_lines": listed(exempt),
            },
        ),
        "Filing": record(
            {
                "entry_type": record(
                    {"code": {"type": "string", "pattern": "^([0-9]{2})?$"}, "formal": FLAG, "says": WORDS, "cites": _CITES},
                    {"reasons": listed(reason, "every row that demands a formal entry; the first decides")},
                    "The type of entry to file; an empty code: the goods pass without an entry.",
                )
            }
        ),
        "DeMinimis": record(
            {"result": one_of(*get_args(Result)), "row": WORDS, "says": WORDS, "cites": _CITES},
            {
                "instrument": WORDS,
                "other_goods_same_day_value": {**DOLLARS, "description": "what was counted besides this shipment"},
                "postal_duty": record(
                    {"duty": DOLLARS, "low": DOLLARS, "method": one_of(*get_args(Method)), "rate": WORDS, "working": WORDS}
                ),
                "advice": listed(WORDS),
                "assumptions": _TAKEN,
                "questions": _ASKED,
                "warnings": listed("Notice"),
            },
            "Whether the shipment passes free, must be entered, or pays the postal duty; and the row of law that decides.",
        ),
        "Totals": record(
            {"duty": maybe(DOLLARS), "fees": DOLLARS, "total": maybe(DOLLARS)}, what="Null where a base duty waits for a quantity."
        ),
    }


def _problems() -> dict[str, Schema]:
    told: dict[str, Any] = {"code": "Code", "field": TEXT, "message": WORDS, "fix": TEXT}
    also: dict[str, Any] = {"also": listed("Notice", "further ones of the same line")}
    return {
        "Notice": record(told, also, "A problem of a line, or a warning."),
        "EntryProblem": record({"line": maybe(ENTRY_ID), **told}, also, "A problem, with the id of its line; null: of the lines together."),
    }
