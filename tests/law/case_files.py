"""The cases of this folder as data, and what an answer must show to agree with one. docs/accuracy.md describes the form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
FIELDS = frozenset({"id", "says", "facts", "known_on", "expect", "completed", "corrected", "confidence", "source"})
KEYS = frozenset(
    {
        "headings", "only", "not_applied", "rates", "bases", "amounts", "programs", "base_rate", "column", "special_program", "base_duty", "base_due", "ave",
        "duty", "additional_duty", "prohibited", "fees", "fees_total", "de_minimis", "postal_rate", "entry_type", "value", "in_order",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """One case: the facts of a line and what its source says of them. `file` is the file it stands in."""

    id: str
    file: str
    says: str
    facts: Mapping[str, Any]
    known_on: date | None
    expect: Mapping[str, Any]
    source: Mapping[str, Any]
    completed: tuple[str, ...] = ()
    corrected: str = ""
    confidence: str = "high"

    @property
    def own(self) -> bool:
        """Whether it is a case of our own reading: those stand in files named own, own_SOMETHING."""
        return self.file.partition("_")[0] == "own"

    @property
    def independent(self) -> bool:
        """Whether somebody other than the authors of the law book states the outcome."""
        return bool(self.source["independent"])


def read_cases() -> tuple[Case, ...]:
    """Return every case, in the order of the files. Fails where a case states what no test would compare."""
    found = []
    for path in sorted((HERE / "cases").glob("*.yaml")):
        for raw in yaml.safe_load(path.read_text(encoding="utf-8")):
            strange = set(raw) - FIELDS
            assert not strange, f"{path.name}: {raw['id']}: {sorted(strange)} is no part of a case"
            unknown = set(raw["expect"]) - KEYS
            assert not unknown, f"{path.name}: {raw['id']}: {sorted(unknown)} would not be compared"
            assert raw["expect"], f"{path.name}: {raw['id']} expects nothing"
            found.append(
                Case(
                    raw["id"],
                    path.stem,
                    raw["says"],
                    raw["facts"],
                    raw.get("known_on"),
                    raw["expect"],
                    raw["source"],
                    tuple(raw.get("completed", ())),
                    raw.get("corrected", ""),
                    raw.get("confidence", "high"),
                )
            )
    return tuple(found)


def read_table(name: str) -> Any:
    """Return a YAML file of this folder."""
    return yaml.safe_load((HERE / name).read_text(encoding="utf-8"))


def differences(case: Case, answer: Mapping[str, Any]) -> list[str]:
    """Return where an answer departs from the case, one sentence each; nothing where it agrees."""
    return list(_differences(case.expect, answer))


def _differences(want: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[str]:
    rows = [row for row in answer["headings"] if row["program"] != "base"]
    found = {row["heading"]: row for row in rows if row["heading"]}
    yield from _headings(want, found)
    yield from _rows(want, found)
    yield from _programs(want, answer, rows)
    yield from _money(want, answer)
    yield from _base(want, answer)
    yield from _frame(want, answer)


def _headings(want: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    allowed: set[str] = set()
    for entry in want.get("headings", ()):
        choice = {entry} if isinstance(entry, str) else set(entry)
        allowed |= choice
        if not choice & set(found):
            yield f"{' or '.join(sorted(choice))} is missing; found {', '.join(found) or 'none'}"
    if want.get("only") and (extra := sorted(set(found) - allowed)):
        yield f"{', '.join(extra)} too"
    if "in_order" in want:
        order = [heading for heading in found if heading in want["in_order"]]
        if order != want["in_order"]:
            yield f"the order is {', '.join(order)}"


def _rows(want: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    for heading, rate in want.get("rates", {}).items():
        row = found.get(heading)
        if row is None:
            yield f"{heading} is missing"
            continue
        seen = row["rate"] + (" in all" if rate.endswith(" in all") and row["kind"] == "total" else "")
        if seen != rate:
            yield f"{heading} is {seen}"
    for name, column in (("bases", "base_value"), ("amounts", "duty")):
        for heading, amount in want.get(name, {}).items():
            seen = found[heading][column] if heading in found else "absent"
            if seen != amount:
                yield f"{name}: {heading} is {seen}"


def _programs(want: Mapping[str, Any], answer: Mapping[str, Any], rows: list[Any]) -> Iterator[str]:
    """A program's rate is what it adds to the base duty, as a share of the value: a total counts without what it takes over."""
    for heading in want.get("not_applied", ()):
        if any(heading in {row["heading"], f"program:{row['program']}"} and Fraction(row["duty"]) for row in rows):
            yield f"{heading} is charged"
        elif any(row["heading"] == heading for row in rows):
            yield f"{heading} is filed"
    for names, rate in want.get("programs", {}).items():
        mine = [row for row in rows if row["program"] in names.split(" + ")]
        added = sum((Fraction(row["duty"]) for row in mine), Fraction(0))
        if any(row["kind"] == "total" for row in mine):
            added -= Fraction(answer["base"]["full_duty"]) - Fraction(answer["base"]["duty"])
        if added * 100 != Fraction(rate.rstrip("%")) * Fraction(answer["value"]):
            yield f"{names} adds {float(added * 100 / Fraction(answer['value'])):.3f}%"


def _money(want: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[str]:
    for name in ("additional_duty", "value"):
        if name in want and answer[name] != want[name]:
            yield f"{name} is {answer[name]}"
    duty = answer["totals"]["duty"]
    if "duty" in want and duty != want["duty"]:
        yield f"duty is {duty}"
    if bool(answer.get("prohibited")) != want.get("prohibited", bool(answer.get("prohibited"))):
        yield f"prohibited is {bool(answer.get('prohibited'))}"


def _base(want: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[str]:
    base = answer["base"]
    for name, key in (
        ("base_rate", "rate"),
        ("column", "column"),
        ("special_program", "special_program"),
        ("base_duty", "full_duty"),
        ("base_due", "duty"),
        ("ave", "ave"),
    ):
        if name in want and base.get(key) != want[name]:
            yield f"{name} is {base.get(key)}"


def _frame(want: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[str]:
    fees, gate = answer["fees"], answer["de_minimis"]
    for name, amount in want.get("fees", {}).items():
        if fees[name] != amount:
            yield f"{name} is {fees[name]}"
    if "fees_total" in want and answer["totals"]["fees"] != want["fees_total"]:
        yield f"the fees are {answer['totals']['fees']}"
    if "entry_type" in want and fees["entry_type"]["code"] != want["entry_type"]:
        yield f"entry_type is {fees['entry_type']['code'] or 'none'}"
    if "de_minimis" in want and gate["result"] != want["de_minimis"]:
        yield f"de_minimis is {gate['result']}"
    if "postal_rate" in want and gate.get("postal_duty", {}).get("rate") != want["postal_rate"]:
        yield f"postal_rate is {gate.get('postal_duty', {}).get('rate')}"
