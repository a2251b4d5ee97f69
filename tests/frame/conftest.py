"""The law on fees and on de minimis shipments as the tests read it, and a knowledge time for it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tariff_engine.deminimis_law import DeMinimis
from tariff_engine.deminimis_rules import parse_de_minimis
from tariff_engine.fee_law import Fees, Visible
from tariff_engine.fee_rules import parse_fees
from tariff_engine.notation.yaml_reader import read_document

RULES = Path(__file__).parents[2] / "rules" / "tariff_rules"


def read_rules(name: str) -> Any:
    return read_document(name, (RULES / name).read_text(encoding="utf-8")).value


@pytest.fixture(scope="session")
def fee_tree() -> Any:
    return read_rules("fees.yaml")


@pytest.fixture(scope="session")
def mpf_rows() -> list[dict[str, str]]:
    with (RULES / "mpf.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def fees(fee_tree: Any, mpf_rows: list[dict[str, str]]) -> Fees:
    return parse_fees(fee_tree, mpf_rows)


@pytest.fixture(scope="session")
def de_minimis() -> DeMinimis:
    return parse_de_minimis(read_rules("de_minimis.yaml"))


@pytest.fixture(scope="session")
def published(fees: Fees, de_minimis: DeMinimis) -> dict[str, date]:
    """Day of publication of every act that the two files or the rulebook know."""
    shared = {name: act["published"] for name, act in read_rules("instruments.yaml")["instruments"].items()}
    own = {**fees.rules.instruments, **de_minimis.instruments}
    return shared | {name: act.published for name, act in own.items()}


@pytest.fixture(scope="session")
def known_on(published: dict[str, date]) -> Callable[[str], Visible]:
    """Make the test of knowledge time for one day."""

    def on(day: str) -> Visible:
        limit = date.fromisoformat(day)

        def visible(by: str | None, withdrawn_by: str | None) -> bool:
            return (by is None or published[by] <= limit) and not (withdrawn_by is not None and published[withdrawn_by] <= limit)

        return visible

    return on
