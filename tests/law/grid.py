"""The total duty of a hundred products from ten countries on the first of every month: what the whole book says, at a glance.

`python -m tests.law.grid` writes grid.csv anew. A row stands where the answer changes: from which month on, the duty on $10,000 in percent, the
headings of chapter 99. Nothing but product, origin, day, value and weight is stated, so the figures are the conservative ones.
Goods whose number began in 2022 are entered under the number before.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.law.rulebook import the_book

from tariff_engine.build import build_law
from tariff_engine.engine import Knowledge
from tariff_engine.problems import ProblemError
from tariff_rules import ROOT

GOLDEN = Path(__file__).parent / "grid.csv"
FIRST, LAST = (2018, 8), (2026, 9)
VALUE = 10_000
QUANTITY = {"kg": 1000, "No.": 100, "doz.": 100, "liters": 1000, "m2": 1000, "t": 1, "prs.": 100, "bbl": 100}
ORIGINS = ("BR", "CA", "CH", "CN", "DE", "GB", "IN", "JP", "MX", "RU")
_NUMBERS = """
    0201305091 0207140030 0406904600 0702002099 0804504045 0805100040 0901110025 1605530500 1806320100 2009110060
    2106909998 2204215055 2208303085 2523290000 2608000030 2707100000 2709002010 2711110000 2804610000 2825200000
    2841800010 2918993000 3004909206 3004909290 3102100000 3104200000 3304995000 3824999397 3901101000 3907610010
    3923210095 3926909989 4011101000 4015121010 4202216000 4403110020 4407110001 4412330620 4418742000 4901990070
    5402203010 6109100012 6110202079 6203420505 6302600020 6307909891 6403996015 6810990020 6910100030 7010905009
    7108121013 7113195085 7202300000 7208510030 7210490030 7304293110 7308909590 7318152061 7323930035 7403110000
    7408116000 7601103000 7606123091 7610900080 7615102015 8101991000 8207196030 8407341400 8409915085 8413919085
    8415103040 8418100010 8421230000 8426190000 8450200080 8471300100 8471500150 8473301180 8483509040 8501402020
    8505110070 8507600010 8517130000 8536906000 8541430010 8542310040 8544300000 8702103100 8703230190 8703800060
    8704210100 8704225120 8708295160 8716390090 8802400140 8806220000 9018310080 9401616011 9401696031 9403409060
"""
PRODUCTS = tuple(_NUMBERS.split())
# Numbers of goods whose own began with the HTS of 2022.
BEFORE_2022 = {
    "2106909998": "2106909898",
    "3824999397": "3824999297",
    "4015121010": "4015190510",
    "8517130000": "8517120050",
    "8541430010": "8541406015",
    "8704210100": "8704210000",
    "8704225120": "8704225020",
    "8708295160": "8708295060",
    "8802400140": "8802400040",
    "8806220000": "8525804000",  # drones with a camera were cameras (CBP)
}


def months() -> Iterator[date]:
    """Yield the first day of every month of the grid."""
    year, month = FIRST
    while (year, month) <= LAST:
        yield date(year, month, 1)
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def total(knowledge: Knowledge, product: str, origin: str, day: date) -> tuple[str, str]:
    """Return the duty in percent of the value and the headings, or the problem that there is."""
    try:
        line = knowledge.read({"hts": product, "origin": origin, "entry_date": day, "value": VALUE, "quantity": QUANTITY})
        answer: dict[str, Any] = knowledge.answer(line, "x", "none", inquire=False)
    except ProblemError as error:
        if error.problem.code == "hts_not_in_force" and product in BEFORE_2022:
            return total(knowledge, BEFORE_2022[product], origin, day)
        return error.problem.code, ""
    if answer.get("prohibited"):
        return "prohibited", ""
    headings = " ".join(row["heading"] for row in answer["headings"] if row["heading"].startswith("99"))
    return (f"{Decimal(answer['duty']) * 100 / VALUE:.2f}" if answer["duty"] is not None else "quantity needed"), headings


def rows(knowledge: Knowledge, products: Sequence[str] = PRODUCTS) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield a row for each span of months with one answer: product, origin, first month, duty in percent, headings."""
    days = list(months())
    for product in products:
        for origin in ORIGINS:
            found = [(day, total(knowledge, product, origin, day)) for day in days]
            for (duty, headings), same in groupby(found, key=lambda pair: pair[1]):
                yield product, origin, f"{next(same)[0]:%Y-%m}", duty, headings


def text(found: Iterator[tuple[str, str, str, str, str]]) -> str:
    """Return rows as the file holds them."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("hts", "origin", "from", "duty_percent", "headings"))
    writer.writerows(found)
    return out.getvalue()


def main() -> None:
    """Write the golden file."""
    assert len(set(PRODUCTS)) == len(PRODUCTS) == 100
    GOLDEN.write_text(text(rows(Knowledge(build_law(the_book(), ROOT)))), encoding="utf-8")
    sys.stdout.write(f"{GOLDEN} written\n")


if __name__ == "__main__":
    main()
