"""What changed between two law books is told in words, thing by thing, with its acts and citations, and no difference is silent."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from tests.authoring.conftest import SMALL, Changed, Edit, Tariff, edited

from tariff_service.law_diff import law_changes
from tariff_service.rulebook import open_book
from tariff_service.store.rulebooks import archive
from tariff_service.store.store import AuditStore

WIDGETS, GADGETS = "programs/widgets.yaml", "programs/gadgets.yaml"
# every kind of change: what is edited, then the kind, name, word and aspects under which it is told, and words that must stand in it
CHANGES: dict[str, tuple[Edit, tuple[str, str, str, set[str]], str]] = {
    "rate": (
        (WIDGETS, "add: 25%, base", "add: 30%, base"),
        ("provision", "9903.01.01", "changed", {"step"}),
        "from 2022-06-01: adds 30%, on the metal; was: from 2022-06-01: adds 25%, on the metal [2 TEST 2 s.1]",
    ),
    "date": (
        (WIDGETS, "{from: 2020-02-01, add", "{from: 2020-03-01, add"),
        ("provision", "9903.01.01", "changed", {"step"}),
        "from 2020-03-01: adds 10%; was: from 2020-02-01: adds 10% [1 TEST 1 s.2]",
    ),
    "end of a provision": (
        (WIDGETS, "{from: 2022-06-01, up_to", "{from: 2022-06-01, until: 2023-01-01, up_to"),
        ("provision", "9903.01.02", "ended", {"step"}),
        "until 2023-01-01",
    ),
    "end of a program": (
        (WIDGETS, "one_of: true\n", "one_of: true\nended: {from: 2024-01-01, ended: true, by: widget-order, cite: 2 TEST 2 s.9}\n"),
        ("program", "widgets", "ended", {"end"}),
        "the program ends on 2024-01-01 [2 TEST 2 s.9]",
    ),
    "exception": (
        (WIDGETS, "    - {any: 9903.01.04, from: 2022-06-01, by: widget-order, cite: 2 TEST 2 s.2}\n", ""),
        ("provision", "9903.01.01", "changed", {"exception"}),
        "exception, gone: not where 9903.01.04 holds from 2022-06-01",
    ),
    "condition": (
        (WIDGETS, "use: {is: office}", "use: {is: home}"),
        ("provision", "9903.01.04", "changed", {"condition"}),
        "use is home",
    ),
    "question": (
        (WIDGETS, "{melted_in: {take: UN,", "{melted_in: {take: CA,"),
        ("provision", "9903.01.04", "changed", {"question"}),
        "where nobody states melted_in, it is taken as CA",
    ),
    "row of a list": (
        (
            "lists/widgets.csv",
            "85001090,,spare,,,,,1 TEST 1 Annex\n",
            "85001090,,spare,,,,,1 TEST 1 Annex\n85009999,,plain,,,,,1 TEST 1 Annex\n",
        ),
        ("list", "widgets", "changed", {"row"}),
        "row, new: 85009999 (kind plain) [1 TEST 1 Annex]",
    ),
    "row of a table": (
        ("lists/gadget_rates.csv", "CN,9903.02.02,add,5%", "CN,9903.02.02,add,6%"),
        ("list", "gadget_rates", "changed", {"row"}),
        "rate 6%",
    ),
    "relation": (
        ("relations.yaml", "test: owed, on: part", "test: owed, on: article"),
        ("relation", "the set widget-duty over family:gadget-rate, article, from 2022-06-01", "added", {"relation"}),
        "where the set widget-duty is owed, family:gadget-rate is not due",
    ),
    "member of a group": (
        ("origins.yaml", "[SE, NO, FI]", "[SE, NO]"),
        ("origins", "north", "changed", {"member"}),
        "member, gone: FI",
    ),
    "dictionary": (
        ("facts.yaml", "question: Are the goods certified?", "question: Is a certificate there?"),
        ("fact", "certified", "changed", {"question"}),
        "question: Is a certificate there?",
    ),
    "act": (
        ("instruments.yaml", "published: 2020-01-03", "published: 2020-01-04"),
        ("act", "widget-act", "changed", {"act"}),
        "published 2020-01-04",
    ),
    "fee": (
        ("mpf.csv", "\n", ",\n"),
        ("file", "mpf.csv", "changed", {"form"}),
        "mpf.csv",
    ),
    "horizon": (
        ("book.yaml", "until: 2024-12-31", "until: 2025-01-31"),
        ("frame", "horizon", "changed", {"horizon"}),
        "read up to 2025-01-31",
    ),
}


@pytest.mark.parametrize("case", sorted(CHANGES))
def test_a_change_of_each_kind_is_told_by_name_with_its_words(case: str, tariff: Tariff, small: Changed) -> None:
    edit, (kind, name, what, aspects), words = CHANGES[case]
    changed = small("changed", edit)
    found = json.loads(tariff("rules", "diff", SMALL, changed, "--json").out)
    told = {(one["kind"], one["name"]): one for one in found["changes"]}
    assert (kind, name) in told, sorted(told)
    assert told[kind, name]["what"] == what
    assert {one["aspect"] for one in told[kind, name]["details"]} == aspects
    text = " ".join(tariff("rules", "diff", SMALL, changed, "--no-json").out.split())
    assert words in text
    assert len(told) == (2 if kind == "relation" else 1), sorted(told)


def test_equal_books_differ_in_nothing_and_layout_is_no_change(tariff: Tariff, small: Changed) -> None:
    laid_out = small("laid-out", (WIDGETS, "one_of: true", "# a comment\none_of:   true"))
    told = tariff("rules", "diff", SMALL, laid_out, "--no-json", "--exit-code")
    assert told.code == 0
    assert "the same in law" in told.out
    changed = small("changed", CHANGES["rate"][0])
    assert tariff("rules", "diff", SMALL, changed, "--exit-code").code == 3


def test_what_is_added_from_one_side_is_removed_from_the_other(small: Changed) -> None:
    less = small("less", (WIDGETS, "    - {any: 9903.01.03, cite: 1 TEST 1 s.3}\n", ""))
    (less / GADGETS).unlink()
    (less / "lists" / "gadget_rates.csv").unlink()
    relations = less / "relations.yaml"
    relations.write_text(relations.read_text(encoding="utf-8").partition("relations:")[0] + "relations: []\n", encoding="utf-8")
    whole, without = open_book(SMALL), open_book(less)
    there = {(one.kind, one.name): one for one in law_changes(without, whole)}
    back = {(one.kind, one.name): one for one in law_changes(whole, without)}
    opposite = {"added": "removed", "removed": "added", "changed": "changed"}
    assert {key: opposite[one.what] for key, one in there.items()} == {key: one.what for key, one in back.items()}
    assert (
        there["program", "gadgets"].what == there["provision", "family:gadget-rate"].what == there["list", "gadget_rates"].what == "added"
    )


def test_markdown_holds_what_the_text_holds_and_nothing_is_taken_for_markup(tariff: Tariff, small: Changed) -> None:
    hostile = small("hostile", (WIDGETS, "says: Widgets pay an additional duty.", 'says: "Widgets <script>pay</script> [x](y) | 10%."'))
    told = tariff("rules", "diff", SMALL, hostile, "--format", "markdown").out
    assert told.startswith("# What changed in the law book\n")
    assert "\\<script\\>pay\\</script\\> \\[x\\](y) \\| 10%" in told
    assert "## Provisions: 1 changed" in told


def test_an_archive_of_git_and_a_rulebook_of_the_audit_store_are_taken_by_their_names(
    tariff: Tariff, small: Changed, tmp_path: Path
) -> None:
    changed = small("changed", CHANGES["rate"][0])
    expected = json.loads(tariff("rules", "diff", SMALL, changed, "--json").out)
    packed = tmp_path / "old.tar.gz"
    with tarfile.open(packed, "w:gz") as tar:
        tar.add(changed, "project-1.0/rules/tariff_rules")
    assert json.loads(tariff("rules", "diff", SMALL, packed, "--json").out) == expected
    url = str(tmp_path / "audit.db")
    book = open_book(changed)
    store = AuditStore.open(url)
    store.keep_rulebook(book.id, book.edition, book.horizon.until.isoformat(), archive(changed))
    store.close()
    for name in (book.id, book.id[:20], book.id.removeprefix("sha256:")[:12]):
        assert json.loads(tariff("rules", "diff", SMALL, name, "--store", url, "--json").out) == expected
    assert (
        json.loads(tariff("rules", "diff", SMALL, "sha256:000000", "--store", url, "--json").out)["problem"]["code"] == "unknown_rulebook"
    )


def _problem(told: Any) -> str:
    return str(json.loads(told.out)["problem"]["code"])


def test_what_is_no_rulebook_is_refused_by_name(tariff: Tariff, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.tar").write_bytes(b"no archive at all")
    (tmp_path / "bomb.gz").write_bytes(b"\x1f\x8b" + b"\0" * 50)
    with tarfile.open(tmp_path / "other.tar", "w") as tar:
        tar.add(SMALL / "mpf.csv", "mpf.csv")
    assert _problem(tariff("rules", "diff", SMALL, tmp_path / "empty")) == "rules_missing"
    for name in ("text.tar", "bomb.gz", "other.tar"):
        assert _problem(tariff("rules", "diff", SMALL, tmp_path / name)) == "archive_unreadable", name
    assert _problem(tariff("rules", "diff", SMALL, tmp_path / "nothing")) == "unknown_rulebook"
    assert _problem(tariff("rules", "diff", SMALL, "a\0b")) == "unknown_rulebook"


def test_an_archive_that_leads_out_of_its_folder_writes_nothing_there(tariff: Tariff, tmp_path: Path) -> None:
    packed = tmp_path / "hostile.tar"
    with tarfile.open(packed, "w") as tar:
        tar.add(SMALL / "mpf.csv", "../../escaped.csv")
        tar.add(SMALL / "book.yaml", "book.yaml")
        link = tarfile.TarInfo("programs/link.yaml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    told = tariff("rules", "diff", SMALL, packed)
    assert told.code == 1
    assert _problem(told) == "rulebook_wrong"
    assert not list(tmp_path.rglob("escaped.csv"))


def test_git_archives_of_this_project_are_read_where_git_is_there(tariff: Tariff, tmp_path: Path) -> None:
    """The archive that `git archive` writes of a folder of rules, which holds more than rules."""
    source = edited(SMALL, tmp_path / "work" / "rules")
    (tmp_path / "work" / "README.md").write_text("more than rules", encoding="utf-8")
    run = ["git", "-C", str(tmp_path / "work"), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "rules")):
        subprocess.run([*run, *words], check=True, capture_output=True)
    subprocess.run([*run, "archive", "-o", str(tmp_path / "rules.tar"), "HEAD"], check=True, capture_output=True)
    assert "the same in law" in tariff("rules", "diff", source, tmp_path / "rules.tar", "--no-json").out
