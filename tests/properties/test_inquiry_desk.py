"""Entries that differ from one met before in value only get the fees, and the ruling of the de minimis gate, that the rules give when read anew."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tariff_engine.deminimis import gate
from tariff_engine.engine import Knowledge
from tariff_engine.entry_type import FeeLine
from tariff_engine.fees import assess_fees
from tariff_engine.problems import ProblemError
from tariff_engine.testing import Space

SEEDS = st.integers(min_value=0, max_value=2**48)
VALUES = (0, 1, 99, 100, 101, 199, 200, 201, 249, 250, 251, 799, 800, 801, 2499, 2500, 2501, 9_000, 95_000, 200_000, 10**9)


def told(work: Any) -> Any:
    """The result of some work, or the problem that it raises."""
    try:
        return work()
    except ProblemError as error:
        return error.problem


def test_fees_of_known_entries_are_the_fees(knowledge: Knowledge, where: Space) -> None:
    @given(seed=SEEDS)
    def hold(seed: int) -> None:
        rng, law = random.Random(seed), knowledge.law
        fixed: dict[str, Any] = {
            "origin": rng.choice(where.origins),
            "hts": rng.choice(where.codes),
            "spi": rng.choice((None, None, "S", "KR")),
            "originating": rng.choice((None, True, False)),
            "chapter98": rng.choice((None, None, None, "9802.00.80")),
            "chapter99": rng.random() < 0.5,
            "adcvd": rng.random() < 0.1,
        }
        facts: dict[str, Any] = {
            "entry_date": rng.choice(where.days),
            "mode": rng.choice((None, "ocean", "air", "postal", "express")),
            "entry_type": rng.choice((None, None, "01", "11", "86")),
            "treatment": rng.choice(("entry", "entry", "exempt", "postal_duty")),
        }
        for value in (*VALUES, *(rng.randrange(300_000) for _ in range(5))):
            lines = [FeeLine(number=1, value=value, **fixed)]

            def plain(lines: list[FeeLine] = lines) -> object:
                return assess_fees(law.fees, lines=lines, visible=law.visible, **facts)

            def known(lines: list[FeeLine] = lines) -> object:
                return knowledge.desk.fees(lines=lines, **facts)

            assert told(known) == told(plain)

    hold()


def test_the_gate_rules_alike_on_known_shipments(knowledge: Knowledge, where: Space) -> None:
    @given(seed=SEEDS)
    def hold(seed: int) -> None:
        rng, law = random.Random(seed), knowledge.law
        facts: dict[str, Any] = {
            "entry_date": rng.choice(where.days),
            "mode": rng.choice((None, "ocean", "air", "postal", "express")),
            "origins": (rng.choice(where.origins),),
            "claimed": rng.choice((None, True, False)),
            "value_is_retail": rng.random() < 0.3,
            "postal_method": rng.choice((None, "ad_valorem", "specific")),
            "export_country": rng.choice((None, "CN", "HK")),
            "gift": rng.choice((None, True, False)),
            "traveller": rng.choice((None, None, True)),
            "adcvd": rng.random() < 0.1,
            "exempt_articles": rng.random() < 0.1,
            "other_goods": rng.choice((Decimal(0), Decimal(0), Decimal(1), Decimal(500))),
            "hts": (rng.choice(where.codes),),
        }
        for value in (*VALUES, Decimal("800.01"), Decimal("99.99")):

            def plain(value: Decimal | int = value) -> object:
                return gate(law.de_minimis, visible=law.visible, value_total=Decimal(value), **facts)

            def known(value: Decimal | int = value) -> object:
                return knowledge.desk.gate(value_total=Decimal(value), **facts)

            assert told(known) == told(plain)

    hold()
