"""What a person asked: the facts of a form or of a permalink, as the API would take them, and the way back into an address.

A permalink holds the facts that decide an answer and nothing else: no fact that says who somebody is. Facts of the first line and of the
entry stand under their own names, those of a further line behind its number (`2.origin`), and a quantity behind its unit (`quantity.kg`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from tariff_engine.problems import ProblemError
from tariff_service.reading import parse_json

if TYPE_CHECKING:
    from tariff_engine.law import FactSpec, Law

MAX_LINES = 12  # a small entry; larger ones are sent to the API as a file
MAX_FIELDS = 300
MAX_TEXT = 2_000  # characters of one field
MAX_PERMALINK = 8_000  # characters that every browser and proxy takes
MAIN = ("hts", "origin", "value", "entry_date", "mode", "spi")  # asked of every line, in this order
OF_PAGE = ("known_on", "lines")  # what a page is told besides facts
_LABELS = {
    "hts": "the HTS number",
    "origin": "the origin",
    "value": "the entered value",
    "entry_date": "the entry date",
    "mode": "the mode",
}
_NOUNS = (  # how a fix of the API begins; what was to be written; what to write
    ("send the HTS number", "HTS number", "write 8 or 10 digits, with or without dots"),
    ("send the two capital letters", "country", "write its name, or its code of two letters"),
    ("send a number such as", "amount", "write an amount such as 1234.56"),
    ("send a day", "day", "write the day as YYYY-MM-DD"),
)
_LINE = re.compile(r"([1-9]\d?)\.(.+)\Z", re.ASCII | re.DOTALL)
_MONEY = re.compile(r"\$?(\d{1,3}(?:,\d{3})+|\d+)(\.\d*)?\Z", re.ASCII)
_NUMBER = re.compile(r"[0-9.]{1,20}\Z", re.ASCII)
_CASE = re.compile(r"([ACac]-\d{3}-\d{3}) +(\d{1,6}(?:\.\d{1,6})?)%?\Z", re.ASCII)
_NUMBERS = frozenset({"usd", "pct", "number"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a field: as a problem of the API says it, beside the field where it stands."""

    field: str  # the name of the field in the form; empty where it is the form as a whole
    code: str
    message: str
    fix: str


@dataclass(slots=True)
class Ask:
    """A form as it was filled in. `texts` are the fields as typed, by name; `entry` is what the API takes."""

    texts: dict[str, str] = field(default_factory=dict)
    lines: int = 1
    known_on: str = ""
    entry: dict[str, Any] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)  # what a view is told besides the question

    @property
    def empty(self) -> bool:
        """Whether nothing was asked."""
        return not self.texts

    def of_line(self, number: int) -> dict[str, str]:
        """Return the fields of a line by the names of its facts."""
        if number == 1:
            return {name: text for name, text in self.texts.items() if not _LINE.match(name)}
        start = f"{number}."
        return {name[len(start) :]: text for name, text in self.texts.items() if name.startswith(start)}

    def flat(self, number: int) -> dict[str, Any]:
        """Return a line as one flat line, with the facts of the entry."""
        if "lines" not in self.entry:
            return dict(self.entry)
        return {**{key: value for key, value in self.entry.items() if key != "lines"}, **self.entry["lines"][number - 1]}

    def address(self, view: str = "", **more: str) -> str:
        """Return the permalink of the question, or of one view of it."""
        number = self.texts.get("hts", "")
        pairs = [(name, text) for name, text in self.texts.items() if name != "hts"]
        if self.known_on:
            pairs.append(("known_on", self.known_on))
        pairs += [(name, text) for name, text in more.items() if text]
        place = f"/line/{quote(number, safe='')}" if _NUMBER.match(number) else "/line"
        if place == "/line" and number:
            pairs.insert(0, ("hts", number))
        return f"{place}{f'/{view}' if view else ''}?{urlencode(pairs)}"

    def form_address(self, **more: str) -> str:
        """Return the address of the form with these facts in it."""
        pairs = [*self.texts.items(), *([("known_on", self.known_on)] if self.known_on else []), *more.items()]
        return f"/?{urlencode(pairs)}"


def read_ask(law: Law, pairs: Iterable[tuple[str, str]], *, options: Iterable[str] = ()) -> Ask:
    """Read the fields of a form or a permalink. What cannot be read is in `troubles`; the texts are kept as they were typed."""
    found, allowed = Ask(), frozenset(options)
    specs = {name: spec for spec in law.facts.values() for name in (spec.name, *spec.aliases)}
    for count, (sent, typed) in enumerate(pairs):
        if count >= MAX_FIELDS:
            found.troubles.append(Trouble("", "too_many_facts", f"more than {MAX_FIELDS} fields", "send larger entries to the API"))
            break
        name, text = sent.removeprefix("1."), typed.strip()
        if name in allowed:
            found.options[name] = text[:MAX_TEXT]
        elif name == "known_on":
            found.known_on = text[:MAX_TEXT]
        elif name == "lines":
            found.lines = min(int(text), MAX_LINES) if text in {str(number) for number in range(1, MAX_LINES + 2)} else found.lines
        elif text:
            _take(found, specs, name, text)
    found.lines = max([found.lines, *(number for name in found.texts for number in [_number(name)])])
    if found.lines > MAX_LINES:
        found.troubles.append(Trouble("", "too_many_lines", f"a page takes {MAX_LINES} lines", "send larger entries to the API"))
        found.lines = MAX_LINES
        found.texts = {name: text for name, text in found.texts.items() if _number(name) <= MAX_LINES}
    _order(found, law)
    found.entry = _entry(found, law, specs)
    return found


def settle(ask: Ask) -> None:
    """Write the fields as they were understood (a name of a country as its code, an amount as its digits): one question, one permalink."""
    for number in range(1, ask.lines + 1):
        start = f"{number}." if number > 1 else ""
        for fact, value in ask.flat(number).items():
            if isinstance(value, str) and start + fact in ask.texts:
                ask.texts[start + fact] = value


def _take(found: Ask, specs: Mapping[str, FactSpec], name: str, text: str) -> None:
    fact = _fact(name)
    spec = specs.get(fact)
    if spec is None:
        found.troubles.append(Trouble("", "unknown_fact", f"{name[:60]} is no field of this form", "leave it out"))
    elif spec.personal:
        message = f"{fact} says who somebody is, and has no place in an address"
        found.troubles.append(Trouble("", "personal_fact", message, "leave it out here, or send it to the API in a body"))
    elif name in found.texts:
        found.troubles.append(Trouble(name, "fact_stated_twice", f"{name[:60]} stands twice", "state it once"))
    elif len(text) > MAX_TEXT:
        found.texts[name] = text[:MAX_TEXT]
        found.troubles.append(Trouble(name, "text_too_long", f"{fact} is longer than {MAX_TEXT:,} characters", "shorten it"))
    else:
        found.texts[name] = text


def _number(name: str) -> int:
    match = _LINE.match(name)
    return int(match[1]) if match else 1


def _fact(name: str) -> str:
    """Return the fact that a field states, without the number of its line and the key of a map."""
    match = _LINE.match(name)
    return (match[2] if match else name).partition(".")[0]


def _order(found: Ask, law: Law) -> None:
    """Put the fields into one order, so that the same question has one address."""
    places = {name: place for place, name in enumerate(dict.fromkeys([*MAIN, *law.facts]))}
    found.texts = dict(sorted(found.texts.items(), key=lambda one: (_number(one[0]), places.get(_fact(one[0]), len(places)), one[0])))


# ---------------------------------------------------------------- as the API takes it
def _entry(found: Ask, law: Law, specs: Mapping[str, FactSpec]) -> dict[str, Any]:
    lines: list[dict[str, Any]] = [{} for _ in range(found.lines)]
    for name, text in found.texts.items():
        number, fact = _number(name), _fact(name)
        rest = name.partition(".")[2] if number > 1 or _LINE.match(name) else name
        key = rest.partition(".")[2]
        value = _value(found, name, law, specs[fact], text)
        if key:
            own = lines[number - 1].setdefault(fact, {})
            if isinstance(own, dict):
                own[key] = value
        else:
            lines[number - 1][fact] = value
    if found.lines == 1:
        return lines[0]
    shared = {key: value for key, value in lines[0].items() if specs[key].level == "entry"}
    return {**shared, "lines": [{key: value for key, value in line.items() if key not in shared} for line in lines]}


def _value(found: Ask, name: str, law: Law, spec: FactSpec, text: str) -> Any:
    """Return a field as the API takes it: yes and no, plain numbers, codes of countries; all else as it was typed."""
    if spec.type in {"bool", "cases"} and text in {"true", "false"}:
        return text == "true"
    if spec.type in _NUMBERS and (match := _MONEY.match(text)):
        return match[1].replace(",", "") + (match[2] or "").removesuffix(".")
    if spec.type == "country":
        return country(law, text)
    if spec.type == "list":
        return [part for part in re.split(r"[\s,;]+", text) if part]
    if spec.type == "cases":
        parts = [part.strip() for part in text.split(",")]
        if all(matches := [_CASE.match(part) for part in parts]):
            return [{"case": match[1].upper(), "rate_pct": match[2]} for match in matches if match]
        try:
            return parse_json(text, spec.name, spec.name)
        except ProblemError as error:
            found.troubles.append(
                Trouble(
                    name,
                    error.problem.code,
                    error.problem.message,
                    'write the case and its rate, such as "A-570-979 30.66%", with commas between cases',
                )
            )
    return text


def country(law: Law, text: str) -> str:
    """Return the code of a country that is named by code or name; what names none is returned as it is, for the engine to refuse."""
    wanted = text.strip()
    if len(wanted) == 2:  # noqa: PLR2004  a code
        return wanted.upper()
    names = {name.casefold(): code for code, name in law.countries.items()}
    head = wanted.partition(" ")[0]
    if head in law.countries and wanted[2:].strip(" -\N{EN DASH}\N{EM DASH}").casefold() == law.countries[head].casefold():
        return head
    if (code := names.get(wanted.casefold())) is not None:
        return code
    near = {code for name, code in names.items() if len(wanted) > 3 and name.startswith(wanted.casefold())}  # noqa: PLR2004
    return near.pop() if len(near) == 1 else wanted


# ---------------------------------------------------------------- problems beside their fields
def placed(errors: Iterable[Mapping[str, Any]]) -> Iterator[Trouble]:
    """Yield the errors of a refusal, each with the field that it is about."""
    for error in errors:
        parts = [part.replace("~1", "/").replace("~0", "~") for part in str(error.get("pointer") or "").split("/")[1:]]
        number = 1
        if parts[:1] == ["lines"] and len(parts) > 1 and parts[1].isdigit():
            number, parts = int(parts[1]) + 1, parts[2:]
        name = (f"{number}." if number > 1 else "") + ".".join(parts[:1]) if parts else ""
        fact = parts[0] if parts else ""
        message, fix = str(error["detail"]), str(error.get("fix") or "")
        yield Trouble(name, str(error["code"]), *_told(fact, message, fix.removeprefix(f"send {fact}: ")))


def _told(fact: str, message: str, fix: str) -> tuple[str, str]:
    """Return a problem in the words of a form: what was typed is no number, day or country, and what to write instead."""
    for start, noun, instead in _NOUNS:
        if fix.startswith(start):
            return message.replace(f"{fact} is ", "", 1) + f" is no {noun}" if message.startswith(f"{fact} is '") else message, instead
    if fact and message.startswith(f"{fact} "):
        message = f"{_LABELS.get(fact) or fact.replace('_', ' ')}{message[len(fact) :]}"
    return message, fix.replace("send ", "write ", 1) if fix.startswith("send ") else fix
