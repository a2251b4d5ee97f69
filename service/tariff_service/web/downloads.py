"""An answer as files: the bytes that the API gives, and the headings of its lines as CSV that opens in a spreadsheet as it stands."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from starlette.responses import Response

from tariff_service.api.assessing import Answered

_COLUMNS = ("line", "order", "hts", "origin", "entry_date", "number", "kind", "program", "rate", "base_value", "duty", "says", "citations")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(found: Answered) -> Response:
    """Return the answer, byte for byte as the API gives it."""
    return Response(found.content, 200, {"ETag": found.etag, "Content-Disposition": _attached(found, "json")}, "application/json")


def as_csv(found: Answered) -> Response:
    """Return a row for each heading of each line, in filing order, then the fees and the total."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    writer.writerows([_safe(cell) for cell in row] for row in _rows(found.answer))
    headers = {"Content-Disposition": _attached(found, "csv")}
    return Response(b"\xef\xbb\xbf" + text.getvalue().encode(), 200, headers, "text/csv; charset=utf-8; header=present")


def _attached(found: Answered, kind: str) -> str:
    return f'attachment; filename="{found.answer["id"]}.{kind}"'


def _safe(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; amounts below zero stay numbers."""
    number = cell[1:].replace(".", "", 1).isdigit() and cell[:1] == "-"
    return f"'{cell}" if cell.startswith(_FORMULA) and not number else cell


def _rows(answer: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for line in answer["lines"]:
        if "problem" in line:
            yield (line["id"], "", "", "", "", "", "problem", "", "", "", "", line["problem"]["message"], "")
            continue
        facts = (line["hts"], line["origin"], line["entry_date"])
        for order, row in enumerate(line["headings"], 1):
            amounts = (row["rate"], row["base_value"] or "", row["duty"] or "")
            named = (row["heading"] or "", row["kind"], row["program"])
            yield (line["id"], str(order), *facts, *named, *amounts, row["says"], "; ".join(row["cites"]))
    fees, totals = answer["fees"], answer["totals"]
    if fees:
        for name in ("mpf", "hmf"):
            detail = fees["detail"][name]
            amounts = (detail["rate"], detail.get("base_value") or "", fees[name] or "")
            yield ("", "", "", "", "", name.upper(), "fee", "fees", *amounts, detail["says"], "; ".join(detail["cites"]))
    if totals:
        yield ("", "", "", "", "", "TOTAL", "total", "", "", "", totals["total"] or "", "", "")
