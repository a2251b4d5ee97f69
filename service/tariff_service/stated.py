"""Facts of a line as options of a command state them: `--fact NAME=VALUE`, and a file with more of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tariff_engine.problems import refuse
from tariff_service.reading import parse_json, read_entry

_WORDS = {"true": True, "false": False, "null": None}
_MOST_SHOWN = 60


def value_of(text: str, field: str) -> Any:
    """Read a value: true, false, null, a JSON list or map, else the text as it stands (numbers stay text, and so exact).

    Raises ProblemError `malformed_json` for a list or map that is none.
    """
    if text in _WORDS:
        return _WORDS[text]
    return parse_json(text, field, field) if text[:1] in {"[", "{"} else text


def pairs(options: Sequence[str]) -> dict[str, Any]:
    """Read options of the form NAME=VALUE. Raises ProblemError `malformed_fact`, `fact_stated_twice`."""
    found: dict[str, Any] = {}
    for option in options:
        name, equals, text = option.partition("=")
        name = name.strip()
        if not equals or not name:
            raise refuse("malformed_fact", option[:_MOST_SHOWN], f"{option[:_MOST_SHOWN]} states no fact", "write --fact NAME=VALUE")
        if name in found:
            raise refuse("fact_stated_twice", name[:_MOST_SHOWN], f"{name[:_MOST_SHOWN]} is stated twice", "state it once")
        found[name] = value_of(text, name)
    return found


def line_of(hts: str | None, file: str | None, options: Sequence[str], named: Mapping[str, Any]) -> dict[str, Any]:
    """Return one flat line from a file, a number, named options and `--fact` options; what is stated twice must be stated alike.

    Raises ProblemError: the file holds several lines, a fact is stated differently in two places.
    """
    raw = read_entry(file) if file else {}
    if not isinstance(raw, Mapping):
        raise refuse("wrong_type", "file", "the file holds no map of facts", "send {hts, origin, value, ...}")
    found = dict(raw)
    lines = found.pop("lines", None)
    if lines is not None:
        if not isinstance(lines, list) or len(lines) != 1 or not isinstance(lines[0], Mapping):
            raise refuse("several_lines", "lines", "this command follows one line", "send a flat line, or an entry of one line")
        found |= dict(lines[0])
    found.pop("id", None)
    for stated in ({"hts": hts} | dict(named), pairs(options)):
        for name, value in stated.items():
            if value is None:
                continue
            if found.get(name, value) != value:
                message = f"{name} is {str(value)[:40]} here and {str(found[name])[:40]} there"
                raise refuse("contradictory_facts", name, message, "state it once")
            found[name] = value
    return found
