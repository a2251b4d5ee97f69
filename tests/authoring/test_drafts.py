"""A draft is read, checked, previewed and merged; what cannot be a draft is refused by name, and nothing is half written."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from tests.authoring.conftest import SMALL, Changed, Tariff, complete

from tariff_engine.notation.yaml_reader import Document
from tariff_engine.problems import ProblemError
from tariff_service import rules_author_cli
from tariff_service.drafts import merge, read_draft, with_blocks, with_rows
from tariff_service.rulebook import open_book

NEW = ("rules", "new", "s9-toys", "--rules", SMALL, "--files-as", "widgets", "--code", "850020", "--origin", "CA", "--from", "2023-01-01")
SAID = (
    *("--title", "Additional duty on toys of Canada", "--heading", "9903.07.01", "--rate", "12.5%", "--cite", "9 TEST 9"),
    *("--act", "toy-act", "--act-title", "Toy Act", "--act-cite", "9 TEST 9", "--signed", "2022-12-01", "--printed-in", "test"),
)


def finished(folder: Path) -> None:
    """Write what the scaffold left to write."""
    (program,) = folder.glob("programs/*/*.yaml")
    text = program.read_text(encoding="utf-8")
    text = text.replace("TODO: one sentence that says what the heading does", "Toys of Canada pay an additional duty.")
    text = text.replace(
        "TODO: a line on the first day, from the text of the act or a message of CBP", "A toy on the first day, beside the gadget duty."
    )
    text = text.replace('"8500200000"', '"85002020"').replace("[9903.07.01]", "[9903.07.01, 9903.02.01]").replace('"0.00"', '"1750.00"')
    program.write_text(text, encoding="utf-8")


def problem(told: object) -> str:
    return str(json.loads(told.out)["problem"]["code"])  # type: ignore[attr-defined]


def test_a_scaffold_has_the_form_of_the_notation_however_little_is_said(tariff: Tariff, tmp_path: Path) -> None:
    for name, words in (("bare", ("rules", "new", "toys", "--rules", SMALL, "--files-as", "widgets")), ("said", (*NEW, *SAID))):
        draft = tmp_path / name
        assert tariff(*words, "--into", draft, "--no-json").code == 0
        found = json.loads(tariff("rules", "check", SMALL, "--draft", draft, "--json").out)
        assert found["counts"]["programs"] == 3, "the loader took it: only what is in it is told"
        assert any("TODO" in one for one in found["problems"])
    again = tariff(*NEW, "--into", tmp_path / "said", "--json")
    assert (again.code, problem(again)) == (2, "file_exists")


def test_a_finished_draft_previews_merges_and_equals_what_was_previewed(tariff: Tariff, tmp_path: Path) -> None:
    book, draft, lines = complete(tmp_path / "book"), tmp_path / "draft", tmp_path / "lines.jsonl"
    tariff(*NEW, *SAID, "--into", draft)
    refused = tariff("rules", "merge", draft, book, "--json")
    assert (refused.code, problem(refused)) == (2, "draft_unfinished")
    finished(draft)
    rows = [{"hts": "85002020", "origin": origin, "entry_date": "2023-01-01", "value": 1000} for origin in ("CA", "SE")]
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    told = tariff("rules", "preview", draft, "--rules", book, "--lines", lines, "--json")
    found = json.loads(told.out)
    assert (told.code, found["problems"], found["programs"]) == (0, [], ["s9-toys"])
    assert found["lines"]["totals"]["difference"] == "125.00"
    assert found["lines"]["statuses"] == {"more": 1, "same": 1}
    assert found["examples"][0]["after"] == found["examples"][0]["written"] == {"headings": ["9903.07.01", "9903.02.01"], "duty": "1750.00"}
    assert found["examples"][0]["before"] == {"headings": ["9903.02.01"], "duty": "500.00"}
    files = [path for path in draft.rglob("*") if path.is_file()]
    alone = json.loads(tariff("rules", "preview", *files, "--rules", book, "--json").out)
    assert alone["diff"]["to"] == found["diff"]["to"]
    before = open_book(book)
    assert tariff("rules", "merge", draft, book, "--no-json").code == 0
    merged = open_book(book)
    assert merged.id == found["diff"]["to"]["id"] != before.id
    assert tariff("rules", "check", book, "--no-json").code == 0
    text = tariff("rules", "preview", draft, "--rules", SMALL, "--no-json").out
    assert "Its examples" in text


def test_a_program_is_taken_out_with_what_it_alone_names_and_put_back(tariff: Tariff, tmp_path: Path) -> None:
    book, draft = complete(tmp_path / "book"), tmp_path / "draft"
    before = open_book(book).id
    tariff(*NEW, *SAID, "--into", draft)
    finished(draft)
    assert tariff("rules", "merge", draft, book).code == 0
    out = tmp_path / "without"
    assert tariff("rules", "copy", out, "--rules", book, "--without", "s9-toys", "--no-json").code == 0
    assert open_book(out).id == before
    tied = tariff("rules", "copy", tmp_path / "tied", "--rules", SMALL, "--without", "widgets", "--json")
    assert (tied.code, problem(tied)) == (2, "program_in_use")
    assert not (tmp_path / "tied").exists()
    unknown = tariff("rules", "copy", tmp_path / "unknown", "--rules", SMALL, "--without", "widget", "--json")
    assert problem(unknown) == "unknown_program"
    assert problem(tariff("rules", "copy", out, "--rules", SMALL, "--json")) == "file_exists"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--heading", "9903"),
        ("--rate", "0.25"),
        ("--code", "85.00"),
        ("--origin", "China"),
        ("--act", "Act 1"),
        ("--title", "a\nb"),
        ("--files-as", "S 9"),
    ],
)
def test_what_no_law_book_can_hold_is_not_written(option: str, value: str, tariff: Tariff, tmp_path: Path) -> None:
    told = tariff("rules", "new", "toys", "--rules", SMALL, "--into", tmp_path / "draft", option, value, "--json")
    assert (told.code, problem(told)) == (2, "wrong_type")
    assert not (tmp_path / "draft").exists()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("x.yaml", "a: 1\n", "draft_unreadable"),
        ("x.txt", "program: x\n", "draft_unreadable"),
        ("instruments.yaml", "instruments: {a: {}}\n", "draft_unreadable"),
        ("x.yaml", "", "file_empty"),
        ("x.yaml", "program: \0", "not_text"),
        ("x.csv", "\u0000" + "x" * 10, "not_text"),
    ],
)
def test_what_is_no_draft_is_refused_by_name(name: str, content: str, code: str, tariff: Tariff, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    told = tariff("rules", "preview", tmp_path / name, "--rules", SMALL, "--json")
    assert (told.code, problem(told)) == (2, code)


def test_hostile_yaml_in_a_draft_is_told_with_its_line_and_costs_nothing(tariff: Tariff, tmp_path: Path) -> None:
    bomb = "program: &a [x]\n" + "".join(f"k{n}: &k{n} [*a, *a]\n" for n in range(30))
    for number, content in enumerate((bomb, "program: x\n" + "[" * 3000, "program: !!python/object/apply:os.system [x]\n")):
        file = tmp_path / f"d{number}" / "x.yaml"
        file.parent.mkdir()
        file.write_text(content, encoding="utf-8")
        told = tariff("rules", "preview", file, "--rules", SMALL, "--json")
        assert told.code in {1, 2}
        assert "problem" in json.loads(told.out)


def test_a_folder_without_rules_and_one_that_is_not_there_are_no_drafts(tariff: Tariff, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert problem(tariff("rules", "preview", tmp_path / "empty", "--json")) == "draft_unreadable"
    assert problem(tariff("rules", "preview", tmp_path / "none", "--json")) == "file_missing"
    with pytest.raises(ProblemError):
        read_draft([tmp_path / "a\0b"])


def test_a_merge_that_is_refused_writes_nothing(small: Changed) -> None:
    book = small("book")
    before = {path: path.read_bytes() for path in book.rglob("*") if path.is_file()}
    with pytest.raises(ProblemError):
        merge(book, {"lists/new.csv": "hts,cite\n", "origins.yaml": "groups: {a: [CN]}\n"})
    assert {path: path.read_bytes() for path in book.rglob("*") if path.is_file()} == before


_NAME = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
_ENTRIES = st.dictionaries(_NAME, st.integers(0, 9), min_size=1, max_size=4)


@given(st.dictionaries(_NAME, _ENTRIES, min_size=1, max_size=3), st.dictionaries(_NAME, _ENTRIES, min_size=1, max_size=3))
def test_what_is_added_under_a_key_stands_beside_what_was_there(old: dict[str, dict[str, int]], new: dict[str, dict[str, int]]) -> None:
    def text(value: dict[str, dict[str, int]]) -> str:
        return "# a comment\n" + "\n".join(
            f"{key}:  # of the key\n" + "".join(f"  {name}: {n}\n" for name, n in inner.items()) for key, inner in value.items()
        )

    added = {key: {name: n for name, n in inner.items() if name not in old.get(key, {})} for key, inner in new.items()}
    added = {key: inner for key, inner in added.items() if inner}
    merged = Document(with_blocks(text(old), text(added), "x.yaml")).value
    assert merged == {key: {**old.get(key, {}), **added.get(key, {})} for key in {**old, **added}}


@given(st.lists(st.integers(0, 60), unique=True, min_size=1), st.lists(st.integers(0, 60), unique=True, min_size=1))
def test_rows_of_headings_come_in_their_order_and_none_twice(old: list[int], new: list[int]) -> None:
    def text(numbers: list[int], word: str) -> str:
        return "heading,printed_in\n" + "".join(f"9903.01.{n:02},{word}\n" for n in sorted(numbers))

    rows = with_rows(text(old, "old"), text(new, "new")).splitlines()[1:]
    assert rows == sorted(rows)
    assert [row.partition(",")[0] for row in rows] == [f"9903.01.{n:02}" for n in sorted({*old, *new})]
    assert {row for row in rows if row.endswith("old")} == set(text(old, "old").splitlines()[1:])


def test_at_a_terminal_it_asks_for_what_no_option_says(tariff: Tariff, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(rules_author_cli, "sys", SimpleNamespace(stdin=terminal, stdout=terminal))
    answers = {
        "Title": "Additional duty on toys",
        "Heading": "9903.07.02",
        "Rate": "5%",
        "What the act does": "Toy Act",
        "Where the act": "9 TEST 9",
    }
    monkeypatch.setattr(typer, "prompt", lambda words, **_: next(said for start, said in answers.items() if words.startswith(start)))
    assert tariff("rules", "new", "toys", "--rules", SMALL, "--files-as", "widgets", "--into", tmp_path / "draft", "--no-json").code == 0
    (program,) = (tmp_path / "draft").glob("programs/*/*.yaml")
    text = program.read_text(encoding="utf-8")
    assert all(words in text for words in ("Additional duty on toys", "heading: 9903.07.02", "add: 5%"))
    assert "Toy Act" in (tmp_path / "draft" / "instruments.yaml").read_text(encoding="utf-8")


def test_a_day_that_is_taken_for_granted_is_told(tariff: Tariff, tmp_path: Path) -> None:
    words = ("rules", "new", "toys", "--rules", SMALL, "--files-as", "widgets", "--signed", "2022-12-20")
    told = tariff(*words, "--into", tmp_path / "one", "--no-json").out
    assert "known on 2022-12-20" in " ".join(told.split())
    assert json.loads(tariff(*words, "--into", tmp_path / "two", "--json").out)["assumed"] == {"published": "2022-12-20"}
    both = (*words, "--published", "2022-12-22")
    assert json.loads(tariff(*both, "--into", tmp_path / "three", "--json").out)["assumed"] == {}
