"""A new program as a draft: the rules, the list of products, the act and the headings, filled as far as the author said, the rest marked TODO."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tariff_engine.problems import refuse

if TYPE_CHECKING:
    from tariff_engine.book import Book

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,60}\Z")
_HEADING: Final = re.compile(r"99\d{2}\.\d{2}\.\d{2}\Z")
_RATE: Final = re.compile(r"\d{1,4}(\.\d{1,6})?%\Z")
_CODE: Final = re.compile(r"[0-9]{2}(?:[0-9]{2}){0,4}\Z")
_ORIGIN: Final = re.compile(r"([A-Z]{2}|group:[a-z0-9_]+)\Z")
_WORDS: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,160}\Z")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an author said of a program; empty is what is not said."""

    program: str
    title: str = ""
    files_as: str = ""
    headings: Sequence[str] = ()
    rate: str = ""
    start: date | None = None
    until: date | None = None
    origins: Sequence[str] = ()
    but: Sequence[str] = ()
    codes: Sequence[str] = ()
    cite: str = ""
    act: str = ""
    act_title: str = ""
    act_cite: str = ""
    signed: date | None = None
    published: date | None = None
    printed_in: str = ""


@dataclass(frozen=True, slots=True)
class StandIns:
    """What stands, marked TODO, for what an author did not say: a day, a heading that no rule has, a country, a filing class, a number."""

    day: date
    heading: str
    origin: str
    files_as: str
    code: str


def stand_ins(book: Book) -> StandIns:
    """Return the horizon, the last free heading of the last family of the book, a country of column 1, and what its first program and list have."""
    known = sorted(node.heading for node in book.nodes.values() if node.heading)
    if not known:
        raise refuse("fact_missing", "--heading", "the law book has no heading yet", "name the heading of the program")
    free = (f"{known[-1][:8]}{number:02}" for number in range(99, -1, -1))
    members = {member if isinstance(member, str) else member.origin for member in book.groups.get("column2", ())}
    origin = next((code for code in book.countries if code not in members), "")
    heading = next((one for one in free if one not in known), known[-1])
    code = next((row.hts for table in book.tables.values() for row in table.rows if row.hts), "")
    return StandIns(book.horizon.until, heading, origin, book.programs[0].files_as, code)


def scaffold(wanted: Wanted, else_: StandIns) -> dict[str, str]:
    """Return the files of the draft by their places in a law book; what nobody stated stands in, marked TODO.

    Raises ProblemError for a name, heading, rate, code or origin that no law book can hold.
    """
    _refuse(wanted)
    stem = wanted.program.replace("-", "_")
    files_as = wanted.files_as or "TODO"
    file = wanted.program.removeprefix(f"{files_as}-").replace("-", "_")
    act = wanted.act or f"act-{wanted.program}"
    headings = wanted.headings or (else_.heading,)
    folder = files_as if re.fullmatch(r"[a-z0-9_]+", files_as) else "draft"
    return {
        f"programs/{folder}/{file}.yaml": _program(wanted, headings, stem, act, else_),
        f"lists/{stem}.csv": _list(wanted, else_),
        "instruments.yaml": _act(wanted, act, else_.day),
        "chapter99.csv": "heading,printed_in\n"
        + "".join(f"{one},{wanted.printed_in or 'TODO: the edition'}\n" for one in sorted(set(headings))),
    }


def write_draft(folder: Path, files: dict[str, str]) -> list[Path]:
    """Write a draft into a folder, never over a file that is there. Raises ProblemError."""
    paths = [folder / name for name in files]
    there = next((path for path in paths if path.exists()), None)
    if there is not None:
        raise refuse("file_exists", "--into", f"there is already a file {there}", "name another folder, or move it away")
    try:
        for path, text in zip(paths, files.values(), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise refuse("file_unwritable", "--into", f"{str(folder)[:200]} cannot be written: {reason}", "name another folder") from None
    return paths


def _refuse(wanted: Wanted) -> None:
    forms = (
        ("NAME", (wanted.program,), _NAME, "a name in small letters, digits and -, such as s201-quartz"),
        ("--files-as", (wanted.files_as,), _NAME, "a class of filing.yaml, such as s232"),
        ("--act", (wanted.act,), _NAME, "a name of the act, such as proc-11051"),
        ("--heading", wanted.headings, _HEADING, "a heading of chapter 99 with its dots"),
        ("--rate", (wanted.rate,), _RATE, "a rate such as 25%"),
        ("--code", wanted.codes, _CODE, "2, 4, 6, 8 or 10 digits without dots"),
        ("--origin", (*wanted.origins, *wanted.but), _ORIGIN, "a country such as CN, or group:NAME"),
        (
            "--title",
            (wanted.title, wanted.cite, wanted.act_title, wanted.act_cite, wanted.printed_in),
            _WORDS,
            "at most 160 characters in one line",
        ),
    )
    for option, values, form, words in forms:
        bad = next((value for value in values if value and not form.match(value)), None)
        if bad is not None or (option == "NAME" and not wanted.program):
            raise refuse("wrong_type", option, f"{(bad or '')[:60]!r} is none", f"write {words}")


def quoted(text: str) -> str:
    """Return text as a YAML scalar in double quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _program(wanted: Wanted, headings: Sequence[str], stem: str, act: str, else_: StandIns) -> str:
    start = wanted.start or else_.day
    todo_day = "" if wanted.start else "  # TODO: the first day of entry"
    cite = quoted(wanted.cite or "TODO: note, clause and heading that say so")
    effect = f"add: {wanted.rate}" if wanted.rate else "add: 0%"
    until = f", until: {wanted.until}" if wanted.until else ""
    lines = [
        f"program: {wanted.program}",
        f"title: {quoted(wanted.title or 'TODO: the authority, the goods, the first day')}",
        f"files_as: {wanted.files_as}"
        if wanted.files_as
        else f"files_as: {else_.files_as}  # TODO: the class of filing.yaml under which it is filed",
        "one_of: true",
        "",
        "provisions:",
    ]
    origin = _origins(wanted)
    for heading in headings:
        lines += [
            f"- heading: {heading}" + ("" if wanted.headings else "  # TODO: the heading of chapter 99"),
            f"  says: {quoted('TODO: one sentence that says what the heading does')}",
            f"  when: {{{origin}hts: {{in: list:{stem}}}}}",
            f"  steps: [{{from: {start}{until}, {effect}, by: {act}, cite: {cite}}}]{todo_day}"
            + ("" if wanted.rate else "  # TODO: the rate"),
        ]
    code = (wanted.codes[0] if wanted.codes else else_.code).ljust(10, "0")
    sample = next((one for one in wanted.origins if not one.startswith("group:")), else_.origin)
    lines += [
        "",
        "examples:",
        f"  - says: {quoted('TODO: a line on the first day, from the text of the act or a message of CBP')}",
        f"    line: {{hts: {quoted(code)}, origin: {quoted(sample)}, entry_date: {start}, value: 10000}}",
        f"    headings: [{headings[0]}]",
        '    duty: "0.00"',
        f"    cite: {cite}",
    ]
    return "\n".join(lines) + "\n"


def _origins(wanted: Wanted) -> str:
    if wanted.origins:
        return f"origin: [{', '.join(wanted.origins)}], "
    return f"origin: {{not: [{', '.join(wanted.but)}]}}, " if wanted.but else ""


def _list(wanted: Wanted, else_: StandIns) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["hts", "cite"])
    for code in wanted.codes or (else_.code,):
        writer.writerow([code, wanted.cite or "TODO: the annex that lists it"])
    return text.getvalue()


def _act(wanted: Wanted, act: str, day: date) -> str:
    signed = wanted.signed or day
    published = wanted.published or signed
    title = wanted.act_title or "TODO: what the act does, in a few words"
    cite = wanted.act_cite or "TODO: where it stands, by the number and the day of the act"
    note = "" if wanted.signed else "  # TODO: the days on which it was signed and published"
    return f"instruments:\n  {act}: {{title: {quoted(title)}, signed: {signed}, published: {published}, cite: {quoted(cite)}}}{note}\n"
