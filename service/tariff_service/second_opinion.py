"""Open the law for answers that durable-rules decides, in a worker process that ends with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from tariff_engine.durable.knowledge import DurableKnowledge
from tariff_engine.durable.worker import Worker, require
from tariff_service.rulebook import open_engine, rules_root


@contextmanager
def open_durable(folder: Path | None, known_on: date | None) -> Iterator[DurableKnowledge]:
    """Yield the law as known on a day. Raises ProblemError `durable_missing`, and RulebookError."""
    require()
    law = open_engine(folder).at(known_on).law
    with Worker(rules_root(folder), law.id) as worker:
        yield DurableKnowledge(law, worker)
