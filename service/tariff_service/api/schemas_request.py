"""The JSON Schemas of a request, made of the fact dictionary of the rulebook: a new fact in facts.yaml appears here without a line of Python.

They say what a sender should write. The reader takes a few more spellings of the same values (a number as text with an exponent, an HTS
number with its dots elsewhere); nothing that these schemas allow is of the wrong type for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from tariff_engine.law import FactSpec, Law
from tariff_engine.units import BASES, PARTS, UNITS
from tariff_service.api.schemas import DAY, FLAG, Schema, maybe, record, ref

_REQUIRED = ("hts", "origin", "value", "entry_date")
_MAX_TEXT = _MAX_ITEMS = 200
_MAX_LINES = 999
_PERCENT, _MONEY, _NUMBER = 100, 10**12, 10**15
_HTS: Schema = {"type": "string", "pattern": r"^[0-9]{4}\.?[0-9]{2}\.?[0-9]{2}(\.?[0-9]{2})?$"}
_TEXT: Schema = {"type": "string", "maxLength": _MAX_TEXT}
_IDENTITY: Schema = {
    "anyOf": [_TEXT, {"type": "integer", "minimum": -(10**18), "maximum": 10**18}],
    "description": "Your name for it; it comes back in the answer.",
}


def components(law: Law) -> dict[str, Schema]:
    """Return the schemas of a request on a rulebook, and of the entry as its answer repeats it."""
    facts = {spec.name: _described(spec, _schema(spec)) for spec in law.facts.values()}
    entry = [spec for spec in law.facts.values() if spec.level == "entry"]
    line = [spec for spec in law.facts.values() if spec.level != "entry"]
    echoed = [spec for spec in entry if not spec.personal]
    return {
        "Country": {"type": "string", "enum": sorted(law.countries), "description": "ISO 3166-1 alpha-2"},
        "Money": number(0, _MONEY, "US dollars"),
        "Percent": number(0, _PERCENT, "percent"),
        "Number": number(0, _NUMBER, ""),
        "Case": _case(),
        "Entry": {
            **record(
                {"lines": {"type": "array", "items": ref("LineOfEntry"), "minItems": 1, "maxItems": _MAX_LINES}},
                {"id": _IDENTITY, "entry_date": facts["entry_date"], **_members(entry, facts)},
                "An entry: the facts that hold for all of its lines, and the lines. A fact of the entry, such as its date, may stand on "
                "each line instead, the same on all.",
            ),
            "anyOf": [{"required": ["entry_date"]}, {"properties": {"lines": {"items": {"required": ["entry_date"]}}}}],
        },
        "LineOfEntry": record(
            {name: facts[name] for name in _REQUIRED if law.facts[name].level != "entry"},
            {"id": _IDENTITY, "entry_date": facts["entry_date"], **_members([*line, *entry], facts)},
            "A line of an entry: the facts of one article. Left out, or null, means unknown, never false.",
        ),
        "Line": record(
            {name: facts[name] for name in _REQUIRED},
            {"id": _IDENTITY, **_members([*entry, *line], facts)},
            "One line that is an entry of its own: its facts and those of the entry, flat.",
        ),
        "Request": {"anyOf": [ref("Entry"), ref("Line")]},
        "EntryEcho": record(
            {"id": _TEXT}, _members(echoed, facts, required=()), "The facts of the entry as stated; none that name a person."
        ),
    }


def _members(specs: Iterable[FactSpec], facts: Mapping[str, Schema], required: Iterable[str] = _REQUIRED) -> dict[str, Schema]:
    """Return the optional members for some facts, under every name that they have."""
    found: dict[str, Schema] = {}
    for spec in specs:
        if spec.name not in required:
            found[spec.name] = _or_null(facts[spec.name])
        for alias in spec.aliases:
            found[alias] = {"description": f"Another name of {spec.name}; state one of them.", **_or_null(_schema(spec))}
    return found


def _or_null(schema: Schema) -> Schema:
    """Return a schema that takes null, which is unknown, as well; its description stays outside."""
    inner = {key: value for key, value in schema.items() if key != "description"}
    return {**maybe(inner), **({"description": schema["description"]} if "description" in schema else {})}


def _described(spec: FactSpec, schema: Schema) -> Schema:
    what = spec.what[:1].upper() + spec.what[1:]
    return {**schema, "description": f"{what}."} if what else schema


def number(low: int, high: int, what: str) -> Schema:
    """Return the schema of an exact number: a JSON number, or text, which no JSON library rounds."""
    digits = len(str(high))
    text = {"type": "string", "pattern": rf"^[0-9]{{1,{digits - 1}}}(\.[0-9]{{1,12}})?$"}
    if high < _MONEY:  # percentages and years: say the ends exactly
        text = {"type": "string", "pattern": rf"^([0-9]{{1,{digits - 1}}}(\.[0-9]{{1,12}})?|{high})$"}
    unit = f"{what}: a" if what else "A"
    said = f"{unit} number, at most 12 decimals; as text where your JSON library would round it."
    whole = {"type": "integer", "minimum": low, "maximum": high}
    return {"anyOf": [text, whole, {"type": "number", "minimum": low, "maximum": high}], "description": said}


def _case() -> Schema:
    rate: Schema = {
        "anyOf": [{"type": "string", "pattern": r"^[0-9]{1,4}(\.[0-9]{1,12})?%?$"}, {"type": "integer", "minimum": 0, "maximum": 9999}]
    }
    named: dict[str, Schema] = {
        "case": {"type": "string", "maxLength": 20, "description": "number of the case, such as A-570-979"},
        "kind": {"type": "string", "enum": ["AD", "CVD"], "description": "antidumping or countervailing"},
    }
    part: dict[str, Schema] = {"value": {**ref("Money"), "description": "the part of the entered value that is subject to the case"}}
    return {
        "description": "An antidumping or countervailing case with its cash deposit rate, as the filer states it.",
        "anyOf": [
            record({**named, "rate_pct": {**rate, "description": "cash deposit rate in percent"}}, part),
            record({**named, "amount": {**ref("Money"), "description": "dollars for each unit"}, "unit": _TEXT}, part),
        ],
    }


# ---------------------------------------------------------------- one schema a type of fact
def _numeric(spec: FactSpec, high: int, name: str) -> Schema:
    if spec.min is None and spec.max is None:
        return ref(name)
    low, top = spec.min or 0, high if spec.max is None else spec.max
    choices: list[Schema] = [{"type": "integer", "minimum": low, "maximum": top}]
    if spec.max is None:
        choices.append({"type": "string", "pattern": f"^({_at_least(low)})$"})
    return {"anyOf": choices, "description": f"From {low}."}


def _at_least(low: int) -> str:
    """Return the pattern of whole numbers from a number on.

    >>> _at_least(185)
    '185|[2-9][0-9]{2}|1[9-9][0-9]{1}|18[6-9][0-9]{0}|[1-9][0-9]{3,14}'
    """
    digits = str(low)
    found = [digits]
    for place, digit in enumerate(digits):
        if digit != "9":
            found.append(f"{digits[:place]}[{int(digit) + 1}-9][0-9]{{{len(digits) - place - 1}}}")
    return "|".join([*found, f"[1-9][0-9]{{{len(digits)},14}}"])


def _country(spec: FactSpec) -> Schema:
    return {"anyOf": [ref("Country"), {"type": "string", "enum": list(spec.values)}]} if spec.values else ref("Country")


def _map(spec: FactSpec) -> Schema:
    known = {"quantity": (*UNITS, *(f"kg_{basis}" for basis in BASES)), "part_values": tuple(PARTS)}.get(spec.name, ())
    found: Schema = {"type": "object", "additionalProperties": ref("Number"), "maxProperties": _MAX_ITEMS}
    return {**found, "properties": {name: ref("Number") for name in known}} if known else found


def _words(spec: FactSpec) -> Schema:
    if spec.starts:
        rest = "".join(rf"[0-9]{{{size}}}" if size else "" for size in (4 - len(spec.starts),))
        return {"type": "string", "pattern": rf"^{spec.starts}{rest}(\.?[0-9]{{2}}(\.?[0-9]{{2}}(\.?[0-9]{{2}})?)?)?$"}
    return {"type": "string", "enum": list(spec.values)} if spec.values else _TEXT


_SCHEMAS: dict[str, Callable[[FactSpec], Schema]] = {
    "bool": lambda _: FLAG,
    "date": lambda _: DAY,
    "usd": lambda spec: _numeric(spec, _MONEY, "Money"),
    "pct": lambda spec: _numeric(spec, _PERCENT, "Percent"),
    "number": lambda spec: _numeric(spec, _NUMBER, "Number"),
    "country": _country,
    "list": lambda _: {"type": "array", "items": _TEXT, "maxItems": _MAX_ITEMS},
    "cases": lambda _: {"anyOf": [FLAG, {"type": "array", "items": ref("Case"), "maxItems": _MAX_ITEMS}]},
    "map": _map,
    "text": _words,
    "code": _words,
}


def _schema(spec: FactSpec) -> Schema:
    """Return the schema of the values of a fact. A type that is new to this table fails here, and not in silence."""
    return dict(_HTS) if spec.name == "hts" else dict(_SCHEMAS[spec.type](spec))
