"""A batch whose rows know what earlier rows of the same person and day are worth, for the de minimis test (`aggregate=true`)."""

from __future__ import annotations

from dataclasses import replace

from tariff_engine.problems import ProblemError
from tariff_service.api.assessing import read_body
from tariff_service.api.problems import Refusal
from tariff_service.api.refusing import refusal_for
from tariff_service.api.row_stream import Row
from tariff_service.output import encode
from tariff_service.rows import identity
from tariff_service.same_day import SameDay, told


class Adder:
    """Counts the rows of one batch as they come, in one pass and bounded memory."""

    def __init__(self) -> None:
        """Begin with no row."""
        self._same_day = SameDay()

    def told(self, row: Row) -> Row:
        """Return a row that states what the rows before it are worth that share its person and day; the bytes as sent where there are none.

        What a row is told stands in its request, so the same rows sent again make the same requests. Beyond the persons and days that are
        kept apart, rows of new ones are refused.
        """
        if row.refusal is not None:
            return row
        try:
            raw = read_body(row.content)
        except Refusal:
            return row  # answering it says why
        before = self._same_day.others(raw, counted=False)
        try:
            self._same_day.add(raw, row.number)
        except ProblemError as error:
            return Row(row.number, refusal=refusal_for(error), id=identity(raw, row.content))
        return row if before is None else replace(row, content=encode(told(raw, before)))
