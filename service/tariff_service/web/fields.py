"""The fields of the form: what is asked of every line, the claims that nobody is prompted for, and the questions of an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tariff_service.paper import money
from tariff_service.web.asking import MAIN, Ask

if TYPE_CHECKING:
    from tariff_engine.law import FactSpec, Law

_LABELS = {
    "hts": "HTS number",
    "origin": "Country of origin",
    "value": "Entered value, USD",
    "entry_date": "Entry date",
    "mode": "Mode of transport",
    "spi": "Special program (SPI)",
}
_SHORT = {
    **{
        name: name.upper()
        for name in (
            "hts",
            "usmca",
            "ftz",
            "gsp",
            "agoa",
            "fta",
            "mfn",
            "cbp",
            "uas",
            "adcvd",
            "spi",
            "tpp",
            "dram",
            "api",
            "mhdv",
            "mpf",
            "hmf",
        )
    },
    "us": "U.S.",
    "rnd": "research and development",
    "uk": "U.K.",
}
_SECTION = re.compile(r"\As(\d{3})_?")
_KINDS = {"bool": "choice", "date": "date", "country": "country", "cases": "cases", "map": "text", "list": "text"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name in the form, the words beside it, how it is filled in, and what was typed."""

    name: str
    label: str
    kind: str  # text, number, date, country, choice, cases
    text: str
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of an answer: its fields, why it is asked, what was taken meanwhile, and what is at stake."""

    line: str
    number: int
    fact: str
    asks: str
    because: str
    taken: str
    stake: str
    answers: tuple[Mapping[str, Any], ...]
    together: tuple[str, ...]
    fields: tuple[Field, ...]


def main_fields(law: Law, ask: Ask, number: int) -> list[Field]:
    """Return the fields that every line has; those of the entry stand at the first line."""
    texts = ask.of_line(number)
    return [_field(law.facts[name], number, texts.get(name, "")) for name in MAIN if number == 1 or law.facts[name].level != "entry"]


def more_fields(law: Law, ask: Ask, number: int, asked: Sequence[Asked]) -> list[Field]:
    """Return the fields for what was stated besides, and is not among the questions."""
    shown = {one.name for question in asked for one in question.fields}
    claims = {field.name for field in claim_fields(law, ask, number)}
    found = []
    start = f"{number}." if number > 1 else ""
    for name, text in ask.of_line(number).items():
        fact, _, key = name.partition(".")
        spec = next((one for one in law.facts.values() if fact in {one.name, *one.aliases}), None)
        if spec is None or fact in MAIN or start + name in shown or start + name in claims:
            continue
        found.append(_field(spec, number, text, key=key, fact=fact))
    return found


def claim_fields(law: Law, ask: Ask, number: int) -> list[Field]:
    """Return the fields for claims that nobody is prompted for."""
    texts = ask.of_line(number)
    return [
        _field(spec, number, texts.get(spec.name, ""))
        for spec in law.facts.values()
        if not spec.ask and spec.name not in MAIN and not spec.personal and (number == 1 or spec.level != "entry")
    ]


def questions(law: Law, ask: Ask, answer: Mapping[str, Any]) -> Iterator[Asked]:
    """Yield the questions of an answer, those with most at stake first in each line."""
    for number, line in enumerate(answer["lines"], 1):
        texts = ask.of_line(number)
        for question in line.get("questions", ()):
            spec = law.facts.get(question["fact"])
            if spec is None or spec.personal:
                continue
            units = question.get("units") or [""]
            yield Asked(
                line["id"],
                number,
                spec.name,
                question["asks"],
                question["because"],
                "" if question.get("taken") is None else word(question["taken"]),
                _stake(question["answers"]),
                tuple({**one, "told": told(law, spec.name, one["answer"])} for one in question["answers"]),
                tuple(question.get("together_with", ())),
                tuple(
                    replace(
                        _field(
                            spec,
                            1 if spec.level == "entry" else number,
                            texts.get(f"{spec.name}.{unit}" if unit else spec.name, ""),
                            key=unit,
                        ),
                        label=label_of(spec.name) + (f" ({unit})" if unit else ""),
                    )
                    for unit in units
                ),
            )


def plain_words(name: str) -> str:
    """Return the name of a fact, or a list, as words.

    >>> plain_words("us_content_value"), plain_words("usmca_qualifying")
    ('U.S. content value', 'USMCA qualifying')
    """
    return " ".join(_SHORT.get(part, part) for part in name.replace("_", " ").split(" "))


def label_of(fact: str, what: str = "") -> str:
    """Return the words beside the field of a fact."""
    text = _LABELS.get(fact) or what.removesuffix(" in dollars") or plain_words(fact.removeprefix("is_"))
    return f"{text[:1].upper()}{text[1:]}"


def _stake(answers: Sequence[Mapping[str, Any]]) -> str:
    sizes = [answer["difference"].removeprefix("-") for answer in answers]
    return money(max(sizes, key=lambda size: (len(size), size))) if sizes else ""


def word(value: Any) -> str:
    """Return a value of a fact in words."""
    if value is None:
        return "not stated"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def told(law: Law, fact: str, value: Any) -> str:
    """Return a value of a fact as a person writes it: dollars, percent, the name of a country, yes and no."""
    spec = law.facts.get(fact)
    text = word(value)
    if spec is None or value is None or isinstance(value, bool):
        return text
    if spec.type == "country":
        return law.countries.get(text, text)
    if spec.type in {"usd", "pct"} and text.replace(".", "", 1).isdigit():
        return money(text) if spec.type == "usd" else f"{text}%"
    return plain_words(text) if spec.values else text


def list_name(name: str) -> str:
    """Return the name of a list as a title.

    >>> list_name("s232_copper_2025"), list_name("brazil_exempt")
    ('Section 232 copper 2025', 'Brazil exempt')
    """
    words = plain_words(_SECTION.sub(lambda found: f"section {found[1]} ", name))
    return f"{words[:1].upper()}{words[1:]}"


def provision_words(name: str) -> str:
    """Return a provision as a person calls it: the heading without its variant, or the words of a family.

    >>> provision_words("9903.94.06/usmca"), provision_words("family:reciprocal-country-rate")
    ('9903.94.06', 'reciprocal country rate')
    """
    if name == "base":
        return "the base duty"
    return plain_words(name.partition(":")[2].replace("-", " ")) if ":" in name else name.partition("/")[0]


def _field(spec: FactSpec, number: int, text: str, *, key: str = "", fact: str = "") -> Field:
    name = (f"{number}." if number > 1 else "") + (fact or spec.name) + (f".{key}" if key else "")
    label = label_of(spec.name, spec.what) + (f" ({key})" if key else "")
    choices: tuple[tuple[str, str], ...] = ()
    kind = "number" if spec.type in {"usd", "pct", "number"} else _KINDS.get(spec.type, "text")
    if spec.type == "bool":
        choices = (("true", "yes"), ("false", "no"))
    elif spec.values and spec.type == "text":
        kind, choices = "choice", tuple((value, plain_words(value)) for value in spec.values)
    hint = {"usd": "dollars", "pct": "percent"}.get(spec.type, "") if spec.name not in MAIN else ""
    return Field(name, label, kind, text, hint, choices, spec.name in MAIN[:4])
