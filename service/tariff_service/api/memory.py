"""The garbage collector of a serving process."""

from __future__ import annotations

import gc
from typing import Final

_THRESHOLDS: Final = (20_000, 20, 50)  # an answer makes hundreds of objects and no cycles: look more seldom


def settle() -> None:
    """Take what is loaded out of the collector's sight, after a last look at it.

    A law is hundreds of thousands of objects that live as long as the process, or until the next reload; looking through them again and again
    would cost more than the answers. Called when the server has started, and after each reload: what the old law left behind goes then.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
