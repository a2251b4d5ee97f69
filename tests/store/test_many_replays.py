"""Stored answers of all kinds, computed again from what was stored: byte for byte the same.

TARIFF_REPLAYS says how many; the checks that run before a release do ten thousand.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from tests.store.drafts import PERSONAL

from tariff_engine.engine import Engine
from tariff_engine.entry import ENGINE, assess_entry
from tariff_engine.testing import random_line, space
from tariff_rules import ROOT
from tariff_service.output import encode
from tariff_service.reading import parse_json
from tariff_service.rulebook import open_engine
from tariff_service.store.records import Draft
from tariff_service.store.replay import ReplayEngines
from tariff_service.store.rulebooks import archive
from tariff_service.store.store import AuditStore
from tariff_service.store.verify import verify

REPLAYS = int(os.environ.get("TARIFF_REPLAYS", "300"))
LEVELS = ("none", "summary", "full")
DAYS = (None, None, None, None, date(2025, 3, 5), date(2026, 3, 2))


def drafts(engine: Engine, count: int) -> Iterator[Draft]:
    """Draw entries as filers send them, on several knowledge days, and draft their assessments."""
    rng, number = random.Random(7), 0
    knowledge = engine.at()
    where = space(knowledge)
    while number < count:
        day, level = rng.choice(DAYS), rng.choice(LEVELS)
        line = random_line(where, rng)
        entry: dict[str, Any] = {**line, "consignee": f"Jane Roe {number}"} if rng.random() < 0.3 else line
        request = json.dumps(entry, default=str, ensure_ascii=False).encode()
        answer = assess_entry(engine.at(day), parse_json(request.decode(), "test"), level, asked_on=day)  # type: ignore[arg-type]
        number += 1
        yield Draft(
            caller="broker",
            rulebook=knowledge.law.id,
            engine=ENGINE,
            known_on=day.isoformat() if day else None,
            explain=level,
            request=request,
            request_type="application/json",
            answer=encode(answer),
            problems=len(answer["problems"]),
            personal=PERSONAL,
        )


def test_stored_answers_are_computed_again_to_the_same_bytes(tmp_path: Path) -> None:
    engine = open_engine(None)
    law = engine.at().law
    store = AuditStore.open(str(tmp_path / "audit.db"))
    store.keep_rulebook(law.id, law.edition, law.horizon.isoformat(), archive(ROOT))
    kept: list[str] = []
    batch: list[Draft] = []
    for draft in drafts(engine, REPLAYS):
        batch.append(draft)
        kept.append(draft.id)
        if len(batch) == 100 or len(kept) == REPLAYS:
            store.append(batch)
            batch.clear()
    differing = []
    with ReplayEngines(store) as engines:
        for name in kept:
            record = store.get(name)
            assert record is not None
            found = engines.replay(record)
            if not found.equal:
                differing.append((name, found.differences[:3]))
    assert differing == []
    report = verify(store)
    assert (report.ok, report.records) == (True, REPLAYS)
    store.close()
