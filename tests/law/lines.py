"""The maker of lines of the test kit, with the origins, numbers and facts that suit the law of this repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tariff_engine.testing.making import LineMaker as _LineMaker

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.schedule import Schedule

ORIGINS = ("VN", "DE", "CN", "GB", "JP", "KR", "CH", "CA", "MX", "BR", "IN", "TW", "RU", "AU")
NUMBERS = ("9403608093", "6109100012", "0901110015", "7206900000", "8703230190", "8708305090", "8431499095", "8504409550")
# Facts that move goods out of the reach of other duties; tried one after the other where a provision is displaced.
WAYS: tuple[dict[str, Any], ...] = (
    {},
    {"steel_content_value": 0, "aluminum_content_value": 0, "copper_content_value": 0},
    {"is_auto_part": False, "is_mhdv_part": False},
    {"is_passenger_vehicle": False, "is_mhdv": False},
    {"is_cabinet_or_vanity_or_part": False},
    {"contains_listed_metal": False},
    {"usmca_qualifying": True},
    {"meets_semiconductor_parameters": True},
    {"steel_content_value": 5000},
    {"aluminum_content_value": 5000},
    {"copper_content_value": 5000},
    {"is_mhdv_part": True, "is_auto_part": False},
    {"metal_weight_pct": 10},
)


class LineMaker(_LineMaker):
    """Makes lines for the provisions of the book."""

    def __init__(self, book: Book, schedule: Schedule) -> None:
        """Take the book, and what to try."""
        super().__init__(book, schedule, ORIGINS, NUMBERS, WAYS)
