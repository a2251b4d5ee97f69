"""Problems of rule files as a teacher explains them: what is wrong, where it stands with the line itself, why it matters, how to mend it, an example."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from tariff_service.drafts import PRINTED, SHARED

_PLACE = re.compile(r"([^\s:]+\.(?:yaml|csv)):(\d+): (?:([^\s:]+): )?(.*)\Z", re.DOTALL)
_LONGEST = 160  # characters of a line of a rule file that are shown


@dataclass(frozen=True, slots=True)
class Explained:
    """One problem, taken apart: the file and line, the place in the file, what is wrong, how to mend it, and the lesson it belongs to."""

    problem: str
    file: str
    line: int
    path: str
    text: str
    what: str
    fix: str
    why: str
    example: str
    lesson: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


@cache
def lessons() -> tuple[tuple[str, re.Pattern[str], str, str], ...]:
    """Return the lessons: name, what they are looked for by, why, and an example."""
    found = yaml.safe_load((files("tariff_service") / "lessons.yaml").read_text(encoding="utf-8"))
    return tuple((one["name"], re.compile(one["match"]), one["why"], one["example"]) for one in found)


def explained(problem: str, texts: Mapping[str, str]) -> Explained:
    """Return a problem of a check with what a teacher adds; `texts` are the rule files, whose lines are shown."""
    match = _PLACE.match(problem)
    file, line, path, words = (match[1], int(match[2]), match[3] or "file", match[4]) if match else ("", 0, "", problem)
    what, _, fix = words.partition("; ")
    lines = texts.get(file, "").splitlines()
    text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    name, why, example = next(
        ((name, why, example) for name, form, why, example in lessons() if form.search(words) or form.search(f"{path}: {words}")),
        ("", "", ""),
    )
    return Explained(problem, file, line, path, text[:_LONGEST], what, fix or what, why, example, name)


def lines_of(one: Explained, *, taught: set[str]) -> list[str]:
    """Return a problem in lines; the why and the example of a lesson are told where they first help."""
    found = [one.problem]
    if one.text:
        found.append(f"    | {one.text}")
    if one.lesson and one.lesson not in taught:
        taught.add(one.lesson)
        found += [f"    why: {one.why}", f"    for example: {one.example}"]
    return found


def in_draft(problem: str, texts: Mapping[str, str], draft: Mapping[str, str]) -> str:
    """Return a problem of a shared file with the line of the draft at which it stands, where the draft wrote that line."""
    match = _PLACE.match(problem)
    if match is None or match[1] not in draft or match[1] not in {*SHARED, PRINTED}:
        return problem
    lines, own = texts.get(match[1], "").splitlines(), draft[match[1]].splitlines()
    number = int(match[2])
    if not 0 < number <= len(lines) or lines[number - 1] not in own:
        return problem
    return f"{match[1]}:{own.index(lines[number - 1]) + 1}:{problem.split(':', 2)[2]}"
