"""Make a stored assessment again, years later, with the rulebook that was kept: the same bytes, or the places that differ."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self, cast

from tariff_engine.engine import Engine
from tariff_engine.entry import ENGINE, assess_entry
from tariff_engine.problems import ProblemError, refuse
from tariff_service.output import encode
from tariff_service.reading import decode, parse_json
from tariff_service.rulebook import open_engine
from tariff_service.store.records import Record
from tariff_service.store.rulebooks import WrongArchiveError, unpack
from tariff_service.store.store import AuditStore

_KEEP = 4  # engines: each holds some hundred megabytes
_DAYS = 4  # days of knowledge of one engine
_SHOWN = 50  # differences of one answer that are told
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """A place of an answer (JSON pointer), what stood there and what stands there now; None where nothing did."""

    pointer: str
    then: Any
    now: Any
    kind: Literal["changed", "added", "gone"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """Whether the answer is the same, byte for byte; the versions of the engine; where it differs (an order or a layout has no place)."""

    equal: bool
    engine_then: str
    engine_now: str
    differences: tuple[Difference, ...] = ()


def replay(record: Record, engine: Engine) -> Replayed:
    """Assess the request of a record again. Raises ProblemError where the record has no request or answer any more, or no assessment."""
    if record.kind != "assessment" or record.request is None or record.answer is None:
        raise refuse("not_replayable", record.id, f"record {record.id} holds no request and answer", "retention may have removed them")
    known_on = None if record.known_on is None else date.fromisoformat(record.known_on)
    try:
        raw = parse_json(decode(record.request, record.id), record.id)
        answer = assess_entry(engine.at(known_on), raw, cast("Any", record.explain), asked_on=known_on)
        found = encode(answer)
    except ProblemError as error:
        found = encode({"problem": error.problem.as_dict()})
    if found == record.answer:
        return Replayed(equal=True, engine_then=record.engine, engine_now=ENGINE)
    then, now = (parse_json(content.decode(), record.id) for content in (record.answer, found))
    differing = tuple(one for one, _ in zip(differences(then, now), range(_SHOWN), strict=False))
    return Replayed(equal=False, engine_then=record.engine, engine_now=ENGINE, differences=differing)


def differences(then: Any, now: Any, pointer: str = "") -> Iterator[Difference]:
    """Yield where two JSON values differ, in the order of the first.

    >>> [(d.pointer, d.then, d.now) for d in differences({"a": [1, 2]}, {"a": [1, 3], "b": 0})]
    [('/a/1', 2, 3), ('/b', None, 0)]
    """
    if isinstance(then, dict) and isinstance(now, dict):
        for key in [*then, *(key for key in now if key not in then)]:
            yield from _compared(then.get(key, _ABSENT), now.get(key, _ABSENT), f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(then, list) and isinstance(now, list):
        for place in range(max(len(then), len(now))):
            first = then[place] if place < len(then) else _ABSENT
            second = now[place] if place < len(now) else _ABSENT
            yield from _compared(first, second, f"{pointer}/{place}")
    elif type(then) is not type(now) or then != now:
        yield Difference(pointer, then, now, "changed")


def _compared(then: Any, now: Any, pointer: str) -> Iterator[Difference]:
    if then is _ABSENT:
        yield Difference(pointer, None, now, "added")
    elif now is _ABSENT:
        yield Difference(pointer, then, None, "gone")
    else:
        yield from differences(then, now, pointer)


class ReplayEngines:
    """The engines of rulebooks that a store keeps, the last few used. Threads may share it: they replay one after the other."""

    def __init__(self, store: AuditStore) -> None:
        """Take the store; folders are made when first needed and removed by `close`."""
        self._store = store
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._folder: Path | None = None
        self._lock = threading.RLock()

    def engine(self, rulebook: str) -> Engine:
        """Return the engine of a kept rulebook, for one thread. Raises ProblemError where it is not kept, or not what it is kept as."""
        with self._lock:
            return self._engine(rulebook)

    def _engine(self, rulebook: str) -> Engine:
        if rulebook in self._engines:
            self._engines.move_to_end(rulebook)
            return self._engines[rulebook]
        content = self._store.rulebook(rulebook)
        if content is None:
            raise refuse("rulebook_not_kept", "rulebook", f"the store does not keep the rulebook {rulebook[:80]}", "verify the store")
        while len(self._engines) >= _KEEP:
            old, _ = self._engines.popitem(last=False)
            shutil.rmtree(self._place(old), ignore_errors=True)
        place = self._place(rulebook)
        try:
            place.mkdir()
            unpack(content, place)
            engine = open_engine(place, keep=_DAYS)
            found = engine.at().law.id
        except WrongArchiveError as error:
            shutil.rmtree(place, ignore_errors=True)
            raise refuse(
                "rulebook_damaged", "rulebook", f"the rulebook {rulebook[:80]}: {error}", "restore a backup of the store"
            ) from error
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        if found != rulebook:
            shutil.rmtree(place, ignore_errors=True)
            raise refuse("rulebook_damaged", "rulebook", f"what is kept as {rulebook[:80]} is {found}", "restore a backup of the store")
        self._engines[rulebook] = engine
        return engine

    def replay(self, record: Record) -> Replayed:
        """Assess the request of a record again, with the rulebook of then. Raises ProblemError."""
        with self._lock:
            return replay(record, self._engine(record.rulebook))

    def close(self) -> None:
        """Let go of the engines and of their folders."""
        with self._lock:
            self._engines.clear()
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _place(self, rulebook: str) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="tariff-replay-"))  # of this user alone
        return self._folder / "".join(letter if letter.isalnum() else "-" for letter in rulebook)[:100]
