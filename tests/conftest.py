"""What every test shares: how hard Hypothesis searches, and the law book, read once for a process.

`HYPOTHESIS_PROFILE=long python3 run.py test` searches for new counterexamples; the default and `ci` search the same examples every time,
so that a red run is red again for the next reader.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Generator
from datetime import date, timedelta
from importlib import import_module
from typing import Any

import pytest
from hypothesis import settings

from tariff_engine.book import Book
from tariff_engine.engine import Engine, Knowledge
from tariff_engine.testing import Rulebook, Space

PROFILES = {
    "default": settings(max_examples=60, deadline=None, derandomize=True),
    "ci": settings(max_examples=200, deadline=None, derandomize=True, print_blob=True),
    "long": settings(max_examples=5000, deadline=timedelta(minutes=1), derandomize=False, print_blob=True),
}

for name, profile in PROFILES.items():
    settings.register_profile(name, profile)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # started in the background: programs under test would inherit deaf ears

wanted = os.environ.get("HYPOTHESIS_PROFILE", "default")
if wanted not in PROFILES:
    raise pytest.UsageError(f"HYPOTHESIS_PROFILE={wanted}: no such profile; there are {', '.join(PROFILES)}.")
settings.load_profile(wanted)

# A third of the suite's processor time was the garbage collector, looking again and again through modules and laws that stay to the end.
THRESHOLDS = (20_000, 10, 5)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect tests without the garbage collector, and then take what was loaded for them out of its sight."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*THRESHOLDS)


# Folders that take longest, in the order in which two processes begin them; the others follow.
LONGEST = (
    "tests/law", "tests/properties", "tests/cli", "tests/mutation", "tests/service/operations", "tests/spark", "tests/page",
    "tests/service/openapi", "tests/service/faults", "tests/service/security", "tests/authoring", "tests/bulk", "tests/service/batch",
)  # fmt: skip


def folder(nodeid: str) -> str:
    """Return the folder of a test."""
    return nodeid.partition("::")[0].rpartition("/")[0]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the folders that take longest first, where several processes share the tests."""
    if hasattr(config, "workerinput"):
        places = {name: place for place, name in enumerate(LONGEST)}
        items.sort(key=lambda item: places.get(folder(item.nodeid), len(places)))


def ends(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Whether a test is the last one of its folder, before one of another."""
    return nextitem is not None and folder(item.nodeid) != folder(nextitem.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Let the law that all tests share forget the lines of a folder after its last test: hundreds of megabytes that no other folder asks for."""
    if ends(item, nextitem) and Rulebook.installed.cache_info().currsize:
        engine = Rulebook.installed().engine
        latest = engine.at()
        for day in [day for day in engine._known if day != date.max]:  # noqa: SLF001  no server has a use for it
            del engine._known[day]  # noqa: SLF001
        latest.law.memory.clear()
        Knowledge.__init__(latest, latest.law)  # in place: fixtures hold it
        gc.collect()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a folder in one process: what its fixtures hold for the whole session is made, and held, once and not twice."""
    if config.getoption("dist") != "loadfile":
        return None
    schedulers: Any = import_module("xdist.scheduler")  # it is there where this is called
    found = schedulers.LoadFileScheduling(config, log)
    found._split_scope = folder  # noqa: SLF001  what it is made to be exchanged by, in a class of one's own
    return found


@pytest.fixture(scope="session")
def rulebook() -> Rulebook:
    """The installed rulebook, as the kit reads it."""
    found = Rulebook.installed()
    gc.collect()
    gc.freeze()
    return found


@pytest.fixture(scope="session")
def book(rulebook: Rulebook) -> Book:
    """Its notation, parsed and linked."""
    return rulebook.book


@pytest.fixture(scope="session")
def engine(rulebook: Rulebook) -> Engine:
    """An engine for it."""
    return rulebook.engine


@pytest.fixture(scope="session")
def knowledge(rulebook: Rulebook) -> Knowledge:
    """Everything known."""
    return rulebook.knowledge


@pytest.fixture(scope="session")
def where(rulebook: Rulebook) -> Space:
    """What lines can be made of."""
    return rulebook.space
