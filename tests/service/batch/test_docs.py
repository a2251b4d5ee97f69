"""What docs/batch.md promises."""

from __future__ import annotations

import http.client
import re
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pytest
from tests.service.server import running

from tariff_service.api import arrow_batch, batch, row_stream, row_window
from tariff_service.api.problems import catalogue
from tariff_service.api.settings import Settings

TEXT = (Path(__file__).parents[3] / "docs" / "batch.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [
        f"{row_stream.READ_AHEAD // 2**20} MiB of it are read ahead",
        f"{row_window.WINDOW_ROWS} answers (or {row_window.WINDOW_BYTES // 2**20} MiB)",
        f"{row_window.STORE_ROWS} rows waiting for the store",
        f"{batch.STORE_FAILURES:,} rows in a row",
        f"`max_row` bytes ({Settings().max_row:,})",
        f"`max_body` bytes ({Settings().max_body:,})",
        f"up to {arrow_batch.BATCH_ROWS:,} rows",
        "at most 240 characters",
        "After 60 seconds",
    ],
)
def test_the_numbers_are_those_of_the_program(words: str) -> None:
    assert words in " ".join(TEXT.split())


def test_the_codes_are_in_the_catalogue() -> None:
    for status, code in re.findall(r"^\| (\d{3}) \| `(\w+)`", TEXT, re.MULTILINE):
        assert catalogue()[code].status == int(status)


def test_the_example_in_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    with running(tmp_path) as served:
        place = served.url.removeprefix("http://")
        monkeypatch.setattr(http.client, "HTTPConnection", lambda *_, real=http.client.HTTPConnection: real(place))
        exec(compile(example, "docs/batch.md", "exec"), {"pa": pa})  # noqa: S102  our own text
    assert "'status': 201" in capsys.readouterr().out
