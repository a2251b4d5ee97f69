"""Many lines at a time: Arrow batches of facts in, batches of duties out. Needs the extra `bulk` (NumPy and PyArrow)."""

from __future__ import annotations

try:
    import numpy as np  # noqa: F401  asked for here, so that who lacks it learns which extra brings it
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: F401  it has no types
except ImportError as error:
    message = f"{error.name} is not installed: many lines at a time need the extra bulk (pip install 'tariff-engine[bulk]')"
    raise ImportError(message, name=error.name) from error

from tariff_engine.bulk.assessor import Assessed, BulkAssessor
from tariff_engine.bulk.schemas import LONG_SCHEMA, REJECTED_SCHEMA, SUMMARY_SCHEMA

__all__ = ["LONG_SCHEMA", "REJECTED_SCHEMA", "SUMMARY_SCHEMA", "Assessed", "BulkAssessor"]
