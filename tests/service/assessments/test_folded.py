"""An answer that is written from what lines share has the bytes of the same answer written whole, and is counted as it is."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tariff_engine.engine import Explain, Knowledge
from tariff_engine.entry import assess_entry, entry_steps
from tariff_engine.explain import Verdicts
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_engine.testing import space
from tariff_service.api.metrics import Metrics
from tariff_service.folded import encode_folded
from tariff_service.output import encode
from tariff_service.rulebook import open_engine


@pytest.fixture(scope="module")
def known() -> Knowledge:
    return open_engine(None).at()


def folded(known: Knowledge, raw: object, explain: Explain = "full") -> dict[str, Any]:
    steps = entry_steps(known, raw, explain, folded=True)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            answer: dict[str, Any] = done.value
            return answer


def lines(known: Knowledge, count: int) -> Iterator[dict[str, Any]]:
    """Lines of every kind, of which some owe what displaced provisions would have cost, some are released, and some cannot be assessed."""
    where, rng = space(known), random.Random(3)
    first = known.law.horizon - timedelta(days=2_500)
    for _ in range(count):
        day = first + timedelta(days=rng.randrange(2_600))
        yield {
            "hts": rng.choice(where.codes),
            "origin": rng.choice(where.origins),
            "entry_date": day.isoformat(),
            "value": rng.choice((0, 5, 640, 2_500, 123_456)),
            **({"steel_content_value": 1} if rng.random() < 0.2 else {}),
            **({"mode": rng.choice(("ocean", "air", "mail"))} if rng.random() < 0.5 else {}),
            **({"de_minimis_claimed": True} if rng.random() < 0.2 else {}),
        }


def test_the_bytes_are_those_of_the_plain_answer(known: Knowledge) -> None:
    """Line after line, for every depth of explanation; and an answer that somebody read is written as it was read."""
    shared = lost = released = 0
    for raw in lines(known, 400):
        for explain in ("full", "summary", "none"):
            try:
                plain = assess_entry(known, raw, explain)
            except (ProblemError, LawConflictError):
                continue
            content = encode(plain)
            answer = folded(known, raw, explain)
            assert encode_folded(answer) == content
            for line in answer["lines"]:
                if isinstance(line.get("programs"), Verdicts):
                    shared += not line["programs"].open
                    lost += bool(line["programs"].losses)
                    released += line["programs"].open
                    assert list(line["programs"]) == line["programs"][:] == line["programs"].rows
            assert encode_folded(answer) == content, "read"
    assert shared > 200
    assert lost > 5
    assert released > 0


def test_who_reads_the_verdicts_may_change_them_without_touching_those_of_others(known: Knowledge) -> None:
    """Rows are copies, down to the facts in them."""
    raw = {"hts": "7318.15.20.61", "origin": "CN", "entry_date": "2025-09-10", "value": 10_000, "mode": "ocean"}
    content = encode_folded(folded(known, raw))
    answer = folded(known, raw)
    for row in answer["lines"][0]["programs"]:
        row["verdict"] = "changed"
        for fact in row.get("facts", ()):
            row["facts"][fact] = "changed"
    assert encode_folded(answer).count(b'"verdict":"changed"') == len(answer["lines"][0]["programs"])
    assert encode_folded(folded(known, raw)) == content


def test_what_orjson_cannot_write_is_written_all_the_same(known: Knowledge) -> None:
    """A whole number beyond 64 bits."""
    raw = {"hts": "7318.15.20.61", "origin": "CN", "entry_date": "2025-09-10", "value": 10_000}
    answer, plain = folded(known, raw), assess_entry(known, raw)
    answer["entry"]["number"] = plain["entry"]["number"] = 10**30
    assert encode_folded(answer) == encode(plain)


def test_folded_answers_are_counted_as_plain_ones(known: Knowledge) -> None:
    """Verdicts by program, whether they were counted one by one or by plan, and however many plans there are."""
    one, other = Metrics(), Metrics()
    for raw in lines(known, 60):
        try:
            one.assessed(assess_entry(known, raw))
        except (ProblemError, LawConflictError):
            continue
        other.assessed(folded(known, raw))
    names = ("tariff_verdicts_total", "tariff_questions_total", "tariff_problems_total", "tariff_assessments_total")
    told = other.own()[0]
    assert [one.own()[0][name] for name in names] == [told[name] for name in names] == [other.own()[0][name] for name in names]
    assert len(told["tariff_verdicts_total"]) > 40


def test_what_many_kinds_of_lines_are_told_alike_is_kept_once(known: Knowledge) -> None:
    """Memory, and the cache of the processor: on a day the texts of a program, and the forms of fees and gate, are few."""
    texts = list[bytes]()
    for raw in lines(known, 300):
        try:
            answer = folded(known, {**raw, "entry_date": known.law.horizon.isoformat()})
        except (ProblemError, LawConflictError):
            continue
        encode_folded(answer)
        for line in answer["lines"]:
            if isinstance(line.get("programs"), Verdicts) and not line["programs"].open:
                texts += line["programs"].forms.written
    assert len({id(text) for text in texts}) == len(set(texts)) < len(texts) / 3
    for kept in (known.desk.charged, known.desk.passed):
        forms = list(kept.values())
        assert len({id(form) for form in forms}) == len({repr(form) for form in forms}) < len(forms) / 2
