"""A law that was read before answers without the readers of rules: they are slow to import, and a cached law needs none of them."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import pytest

from tariff_engine.deminimis_law import DeMinimis
from tariff_engine.fee_law import Fees

READERS = {
    "csv",
    "importlib.resources",
    "pydantic",
    "tariff_engine.build",
    "tariff_engine.compiled.compile",
    "tariff_engine.deminimis_rules",
    "tariff_engine.fee_rules",
    "tariff_engine.notation.model",
    "yaml",
}


def _loaded(code: str, given: bytes = b"") -> set[str]:
    """Names of the modules that a fresh interpreter holds after some code."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    script = f"import sys\n{code}\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], input=given, capture_output=True, check=True, env=environment)
    return set(done.stdout.decode().split())


def test_the_engine_and_its_entry_import_no_reader_of_rules() -> None:
    loaded = _loaded("import tariff_engine.engine, tariff_engine.entry")
    assert {"tariff_engine.engine", "tariff_engine.entry", "tariff_engine.fees"} <= loaded
    assert sorted(READERS & loaded) == []


def test_a_pickled_law_on_fees_and_small_shipments_comes_back_whole_without_the_readers(fees: Fees, de_minimis: DeMinimis) -> None:
    stored = pickle.dumps((fees, de_minimis))
    loaded = _loaded("import pickle\npickle.load(sys.stdin.buffer)", stored)
    assert {"tariff_engine.fee_law", "tariff_engine.deminimis_law"} <= loaded
    assert sorted(READERS & loaded) == []
    assert pickle.loads(stored) == (fees, de_minimis)  # noqa: S301  made one line above


@pytest.mark.parametrize("reader", ["tariff_engine.build", "tariff_engine.fee_rules", "tariff_engine.deminimis_rules"])
def test_the_readers_are_what_costs(reader: str) -> None:
    """So that the tests above cannot pass because a name in `READERS` is misspelt."""
    loaded = _loaded(f"import {reader}")
    assert {"pydantic", "tariff_engine.notation.model", reader} <= loaded
    assert reader != "tariff_engine.build" or loaded >= READERS
