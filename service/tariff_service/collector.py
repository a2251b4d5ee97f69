"""The garbage collector of a process that holds a law and answers line after line."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_THRESHOLDS: Final = (20_000, 20, 50)  # an answer makes hundreds of objects and no cycles: look more seldom


def settle() -> None:
    """Take what is loaded out of the collector's sight, after a last look at it.

    A law is hundreds of thousands of objects that live as long as the process, or until the next reload; looking through them again and again
    would cost more than the answers. Called when a server or a worker has started, and after each reload: what the old law left behind goes
    then.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)


@contextmanager
def settled() -> Iterator[None]:
    """Keep what is loaded out of the collector's sight for as long as something runs, without that last look."""
    if gc.get_freeze_count():
        yield
        return
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
