"""The law as data: programs, relations, instruments, lists and schedules, in files that a customs lawyer can read.

`ROOT` is the folder that holds them, in a checkout, an editable install and a wheel alike. This is the only Python in the package.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

__all__ = ["ROOT"]

ROOT: Final[Traversable] = files(__name__)
