"""How far a run is, on standard error where a person reads it: lines done, lines a second, time left."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from tariff_service.bulk.opening import AnySource


class Progress:
    """A bar while the run lasts; nothing where no terminal listens."""

    def __init__(self) -> None:
        """Show nothing yet."""
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._lines = self._rejected = 0

    def __enter__(self) -> Self:
        """Begin to show."""
        if sys.stderr.isatty():
            from rich.console import Console  # noqa: PLC0415  nobody listens to a pipe
            from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415
            from rich.progress import Progress as Bar  # noqa: PLC0415

            words = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
            self._bar = Bar(*words, console=Console(stderr=True), transient=True)
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave the terminal as it was."""
        if self._bar is not None:
            self._bar.stop()

    def told(self, source: AnySource, record: Mapping[str, Any]) -> None:
        """Take note of a finished part."""
        self._lines += record["answered"] + record["rejected"]
        self._rejected += record["rejected"]
        if self._bar is None:
            return
        if self._task is None:
            self._task = self._bar.add_task("", total=source.size)
        task = self._bar.tasks[0]
        elapsed = task.elapsed or 0
        rate = f", {self._lines / elapsed:,.0f} a second" if elapsed > 1 else ""
        words = f"{self._lines:,} lines, {self._rejected:,} rejected{rate}"
        self._bar.update(self._task, completed=record["end"], description=words)
