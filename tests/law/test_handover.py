"""The metals programs follow one another without a gap: no line pays two of them for one metal on any day, and none goes free for a day.

What a line pays is read from the answer, by the names of the programs; nothing of the evaluators is used.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge

DAY = timedelta(days=1)
ERAS = (("s232-steel-2018", "s232-steel-2025"), ("s232-aluminum-2018", "s232-aluminum-2025"))
HANDOVER = date(2025, 3, 12)
STEEL = ("7206100000", "7208510030", "7216990090", "7219330038", "7223001031", "7302105060", "7306305028", "7317005503", "7317006560")
ALUMINUM = ("7601103000", "7604293030", "7607113000", "7609000000", "7616995160", "7616995170", "7614105000", "7614905000")
STAMPINGS = ("8708103050", "8708292120")
PAYING = ("IN", "VN", "TR", "CN", "TH")  # outside no program, on either side of the day
OUTSIDE = ("AU", "KR", "BR", "AR", "CA", "MX", "DE", "JP", "GB", "UA", "RU", "US")


def metals(knowledge: Knowledge, number: str, origin: str, day: date) -> dict[str, int]:
    """Return the programs of section 232 that charge a line, each with the number of its duties."""
    line = knowledge.read({"hts": number, "origin": origin, "entry_date": day, "value": 10000})
    found: dict[str, int] = {}
    for row in knowledge.evaluate(line)[0].derivation().rows:
        if row.program.startswith("s232-") and row.duty:
            found[row.program] = found.get(row.program, 0) + 1
    return found


@pytest.mark.parametrize("number", [*STEEL, *ALUMINUM, *STAMPINGS])
@pytest.mark.parametrize("origin", [*PAYING, *OUTSIDE])
def test_no_day_is_charged_by_the_old_and_the_new_program(number: str, origin: str, knowledge: Knowledge) -> None:
    for shift in range(-9, 3):
        day = HANDOVER + shift * DAY
        found = metals(knowledge, number, origin, day)
        for old, new in ERAS:
            assert not {old, new} <= set(found), f"{day}: {found}"
            assert (old if day >= HANDOVER else new) not in found, f"{day}: {found}"
        assert set(found.values()) <= {1}, f"{day}: {found}"


@pytest.mark.parametrize("number", [*STEEL, *ALUMINUM, *STAMPINGS])
@pytest.mark.parametrize("origin", PAYING)
def test_goods_that_pay_on_both_sides_pay_on_every_day(number: str, origin: str, knowledge: Knowledge) -> None:
    metal = 0 if number in STEEL else 1
    for day in (date(2020, 2, 8), date(2022, 6, 1), HANDOVER - DAY, HANDOVER, HANDOVER + DAY):
        assert ERAS[metal][day >= HANDOVER] in metals(knowledge, number, origin, day), f"{day}"
