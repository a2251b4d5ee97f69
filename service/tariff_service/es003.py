"""An entry summary as CSV in the column names of ACE report ES-003, "Entry Summary Line Tariff Details": one row for each HTS number.

`tariff refund` reads it back. Columns whose facts an answer does not hold (importer, port, liquidation) stay empty. The report has no place
for antidumping and countervailing deposits, nor for fees: they are left out, as ACE leaves them out.
"""

from __future__ import annotations

import csv
import io

from tariff_engine.problems import refuse
from tariff_service.entry_summary import CENTS, Number, Summary, SummaryLine
from tariff_service.form_7501 import american
from tariff_service.refund_columns import safe_cell

COLUMNS = (
    "Entry Summary Number",
    "Entry Summary Line Number",
    "Entry Type Code",
    "Importer Number",
    "Importer Name",
    "Port of Entry Code",
    "Entry Date",
    "Entry Summary Date",
    "Initial Entry Summary Create Date",
    "Reconciliation Indicator",
    "Control Status",
    "Post Summary Correction Indicator",
    "Liquidation Date",
    "Liquidation Status",
    "Protest Number",
    "Protest Status",
    "Review Team Number",
    "Country of Origin Code",
    "Country of Export Code",
    "Manufacturer ID",
    "Foreign Exporter ID",
    "Line SPI Code",
    "Tariff Ordinal Number",
    "HTS Number - Full",
    "Line Tariff Goods Value Amount",
    "Line Tariff Duty Amount",
    "Line Tariff Quantity (1)",
    "Line Tariff UOM (1) Code",
)


def es003(summary: Summary) -> str:
    """Return the report, rows ended by carriage return and line feed as ACE writes them.

    Raises ProblemError: the entry has no number, a duty is not known, or an amount is reported under no number.
    """
    if not summary.entry_number:
        raise refuse(
            "entry_number_missing", "entry_number", "the report tells entries apart by their numbers", "send --entry-number ABC-1234567-6"
        )
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    for line in summary.lines:
        numbers = [number for number in line.numbers if not number.case]
        for ordinal, number in enumerate(numbers, 1):
            writer.writerow(_row(summary, line, ordinal, number, goods=ordinal == len(numbers)))
    return text.getvalue()


def _row(summary: Summary, line: SummaryLine, ordinal: int, number: Number, *, goods: bool) -> dict[str, str]:
    if number.duty is None:
        raise refuse("fact_needed", "quantity", f"the duty of {number.number} on line {line.id} is not known", "send the quantity first")
    if not number.number:
        message = f"line {line.id} has an amount that no HTS number reports, and the report holds none but those of numbers"
        raise refuse("number_missing", "lines", message, "use --format 7501")
    unit, amount = next(iter(line.quantity.items()), ("", "")) if goods else ("", "")
    cells = {
        "Entry Summary Number": summary.entry_number.replace("-", ""),
        "Entry Summary Line Number": str(line.number),
        "Entry Type Code": summary.entry_type,
        "Entry Date": american(summary.entry_date),
        "Country of Origin Code": line.origin,
        "Country of Export Code": summary.facts.get("export_country", ""),
        "Line SPI Code": line.spi,
        "Tariff Ordinal Number": str(ordinal),
        "HTS Number - Full": number.number.replace(".", ""),
        "Line Tariff Goods Value Amount": f"${number.value:,}.00",
        "Line Tariff Duty Amount": f"${number.duty // CENTS:,}.{number.duty % CENTS:02d}",
        "Line Tariff Quantity (1)": amount,
        "Line Tariff UOM (1) Code": unit.upper(),
    }
    return {name: safe_cell(cell) for name, cell in cells.items()}
