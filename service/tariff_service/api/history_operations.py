"""What the OpenAPI document says of the history of a provision or a program."""

from __future__ import annotations

from typing import Any

from tariff_service.api.law_operations import LAW
from tariff_service.api.openapi import KNOWN_ON, Parameter, Told, in_path, operation
from tariff_service.api.schemas import COUNT, DAY, FLAG, TEXT, WORDS, Schema, listed, maybe, one_of, record

_NAME: Schema = {"type": "string", "pattern": "^[0-9a-z.:-]{1,100}$"}
_VARIANT: Schema = {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,99}$"}
_TEXTS: Schema = listed(TEXT)
_ACT: Schema = record({"id": WORDS, "title": WORDS, "cite": WORDS, "signed": DAY, "published": DAY}, {"url": TEXT}, "A legal act.")
_STATE: Schema = record(
    {"effect": WORDS, "rate": maybe(TEXT), "heading": maybe(TEXT)},
    what="What holds. `heading` where a table names it; the provision's own is not repeated.",
)
_STATES: Schema = listed(maybe(_STATE))
_KINDS = ("announced", "took_effect", "amended", "ended", "paused", "withdrawn", "replaced", "extended", "retroactive")
_NUMBERS = ("joins", "leaves", "recut", "called_off")
_EVENT: Schema = record(
    {
        "known": maybe(DAY),
        "effect": DAY,
        "until": maybe(DAY),
        "about": one_of("rate", "in_transit", "exception", "order", "offset", "list", what="What changed."),
        "kind": one_of(*_KINDS, what="What happened to it."),
        "outcome": one_of("came", "called_off", "ahead", what="Whether it came, by what is known."),
        "says": WORDS,
        "provisions": listed(WORDS),
        "origins": _TEXTS,
        "refs": _TEXTS,
        "was": maybe(_STATE),
        "now": maybe(_STATE),
        "by": maybe(_ACT),
        "cites": _TEXTS,
    },
    {
        **dict.fromkeys(_NUMBERS, COUNT),
        "numbers": record(dict.fromkeys(_NUMBERS, _TEXTS), what="With `all`: the numbers of a list."),
        "filed_before": listed(
            record({"from": DAY, "until": DAY, "state": maybe(_STATE)}),
            "Of an act that reaches back: what entries owed until it was known.",
        ),
        "filed_in_place": listed(
            record({"provision": WORDS, "effect": WORDS}),
            "Of an act that reaches back: the duties that were filed where this provision now stands.",
        ),
        "instead": listed(_STATE, "What holds under other headings instead."),
        "instead_from": DAY,
        "several": record({"was": _STATES, "now": _STATES}, what="Where alike events with other rates are told together: all of them."),
    },
    "What an act did, for entries from `effect` until `until`; known from the day `known` (null: no act, as old as the rule).",
)
_SPAN: Schema = record(
    {"from": DAY, "until": maybe(DAY), "rate": maybe(TEXT), "effect": WORDS, "heading": maybe(TEXT), "by": maybe(TEXT)},
)
_STATUS = ("in_force", "ended", "ahead", "never_in_force", "not_yet_known")
HISTORY: dict[str, Any] = operation(
    "read_history",
    "Read the history of a heading or a program",
    tag=LAW,
    what="Every event has two days: the one from which it holds for entries, and the one on which it became known. The events about a rate, "
    "laid one over the other in the order in which they became known, give the rate of every day of entry.",
    path=(
        in_path("name", _NAME, "A heading of chapter 99, dotted or not, also one that rows of a table name; family:NAME; or a program."),
    ),
    query=(
        Parameter("variant", _VARIANT, "One of several provisions that share the heading."),
        Parameter("by", {**one_of("known", "effect"), "default": "known"}, "Which of its two days orders the events."),
        Parameter("all", {**FLAG, "default": False}, "Tell the rows of tables and the numbers of lists one by one."),
        KNOWN_ON,
    ),
    answers={
        200: Told(
            "As the rulebook in use says it.",
            record(
                {
                    "name": WORDS,
                    "kind": one_of("heading", "program"),
                    "title": maybe(TEXT),
                    "known_on": maybe(DAY),
                    "as_of": DAY,
                    "order": one_of("known", "effect"),
                    "provisions": listed(
                        record(
                            {
                                "provision": WORDS,
                                "program": WORDS,
                                "title": WORDS,
                                "says": WORDS,
                                "status": one_of(*_STATUS),
                                "from": maybe(DAY),
                                "until": maybe(DAY),
                            }
                        )
                    ),
                    "lanes": listed(
                        record({"provision": WORDS, "origins": _TEXTS, "segments": listed(_SPAN)}),
                        "The rate over the days of entry, as known; origins with one course together.",
                    ),
                    "events": listed(_EVENT),
                }
            ),
            headers=("Cache-Control",),
        )
    },
    problems=(404,),
    cached=True,
)
