"""The cache of compiled laws: it may only ever make things faster, whatever becomes of its files."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import tariff_engine
from tariff_engine.law import Law
from tariff_engine.problems import ProblemError
from tariff_rules import ROOT
from tariff_service import law_cache
from tariff_service.law_cache import LawCache, cache_folder, fingerprint
from tariff_service.rulebook import open_engine

KEY = "key"
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def law() -> Law:
    """Return a compiled law; loaded once, never changed."""
    return open_engine(None).at().law


@pytest.fixture
def cache(tmp_path: Path, law: Law) -> LawCache:
    """Return a cache that holds the law."""
    found = LawCache(tmp_path / "laws", KEY)
    found.store(law)
    return found


def test_a_law_that_was_stored_comes_back_and_only_for_its_key_and_day(cache: LawCache, law: Law, tmp_path: Path) -> None:
    again = cache.load(law.known_on)
    assert again is not None
    assert again.id == law.id
    assert again.compiled.bounds == law.compiled.bounds
    assert cache.load(date(2025, 2, 2)) is None
    assert LawCache(tmp_path / "laws", "other rules").load(law.known_on) is None


def test_folder_and_file_are_for_their_owner_alone(cache: LawCache, law: Law, tmp_path: Path) -> None:
    assert (tmp_path / "laws").stat().st_mode & 0o777 == 0o700
    assert cache.path(law.known_on).stat().st_mode & 0o777 == 0o600
    assert [path.suffix for path in (tmp_path / "laws").iterdir()] == [".law"]


@pytest.mark.parametrize("damage", ["empty", "truncated", "header only", "flipped", "other magic", "text", "grown"])
def test_a_damaged_file_is_ignored_and_written_anew(cache: LawCache, law: Law, damage: str) -> None:
    path = cache.path(law.known_on)
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    new = {
        "empty": b"",
        "truncated": bytes(content[:-1]),
        "header only": bytes(content[:45]),
        "flipped": bytes(content),
        "other magic": b"x" + bytes(content[1:]),
        "text": b"hello",
        "grown": bytes(content) + b"\0",
    }[damage]
    path.write_bytes(new)
    assert cache.load(law.known_on) is None
    cache.store(law)
    assert cache.load(law.known_on) is not None


@pytest.mark.parametrize("payload", [pickle.dumps(os.system), pickle.dumps(Path), pickle.dumps([1]), pickle.dumps(len), b"."])
def test_a_well_formed_file_with_anything_but_a_law_is_ignored(cache: LawCache, law: Law, payload: bytes) -> None:
    path = cache.path(law.known_on)
    path.write_bytes(law_cache._MAGIC + hashlib.sha256(payload).digest() + payload)  # noqa: SLF001
    assert cache.load(law.known_on) is None


class Bomb:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, ("raise SystemExit('code of a stranger ran')",)


def test_no_code_runs_from_the_cache(cache: LawCache, law: Law) -> None:
    payload = pickle.dumps(Bomb())
    cache.path(law.known_on).write_bytes(law_cache._MAGIC + hashlib.sha256(payload).digest() + payload)  # noqa: SLF001
    assert cache.load(law.known_on) is None


def test_what_somebody_else_owns_or_could_write_is_not_trusted(cache: LawCache, law: Law, monkeypatch: pytest.MonkeyPatch) -> None:
    path = cache.path(law.known_on)
    path.chmod(0o666)
    assert cache.load(law.known_on) is None
    path.chmod(0o600)
    assert cache.load(law.known_on) is not None
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert cache.load(law.known_on) is None
    cache.store(law)  # into a folder of somebody else: nothing happens


def test_a_link_is_not_followed(cache: LawCache, law: Law, tmp_path: Path) -> None:
    path = cache.path(law.known_on)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert cache.load(law.known_on) is None
    (tmp_path / "link").symlink_to(tmp_path / "laws", target_is_directory=True)
    assert LawCache(tmp_path / "link", KEY).load(law.known_on) is None


def test_a_folder_that_others_can_enter_is_closed(cache: LawCache, law: Law, tmp_path: Path) -> None:
    (tmp_path / "laws").chmod(0o755)
    assert cache.load(law.known_on) is not None
    assert (tmp_path / "laws").stat().st_mode & 0o777 == 0o700


def test_a_read_only_or_impossible_place_is_borne(law: Law, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    LawCache(tmp_path / "file" / "laws", KEY).store(law)
    assert LawCache(tmp_path / "file" / "laws", KEY).load(law.known_on) is None

    def read_only(*_: Any, **__: Any) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.mkstemp", read_only)
    LawCache(tmp_path / "laws", KEY).store(law)
    assert list((tmp_path / "laws").iterdir()) == []


def test_a_write_that_fails_leaves_nothing_behind(law: Law, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    LawCache(tmp_path / "laws", KEY).store(law)
    assert list((tmp_path / "laws").iterdir()) == []


def test_old_laws_and_the_remains_of_dead_writers_are_pruned(cache: LawCache, law: Law, tmp_path: Path) -> None:
    folder, now = tmp_path / "laws", time.time()
    for number in range(20):
        old = folder / f"{number:02}.law"
        old.write_bytes(b"old")
        os.utime(old, (now - 1000 - number, now - 1000 - number))
    for name, age in ((".dead.tmp", 7200), (".alive.tmp", 10)):
        (folder / name).write_bytes(b"")
        os.utime(folder / name, (now - age, now - age))
    cache.store(law)
    left = {path.name for path in folder.iterdir()}
    assert cache.path(law.known_on).name in left
    assert {"00.law", "10.law", ".alive.tmp"} <= left
    assert not {"11.law", "19.law", ".dead.tmp"} & left


def test_the_place_follows_the_environment() -> None:
    assert cache_folder({"TARIFF_CACHE": "0", "HOME": "/h"}) is None
    assert cache_folder({}) is None
    assert cache_folder({"TARIFF_CACHE_DIR": "/own", "HOME": "/h"}) == Path("/own/laws")
    assert cache_folder({"XDG_CACHE_HOME": "/x", "HOME": "/h"}) == Path("/x/tariff-engine/laws")
    assert cache_folder({"XDG_CACHE_HOME": "relative", "HOME": "/h"}) == Path("/h/.cache/tariff-engine/laws")


def test_the_fingerprint_changes_with_any_rule_file(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    file = tmp_path / "lists" / "a.csv"
    seen = set()
    for text in ("hts\n", "hts\n1\n", "hts\n2\n"):
        file.write_text(text, encoding="utf-8")
        seen.add(fingerprint(tmp_path))
    file.rename(tmp_path / "a.csv")
    seen.add(fingerprint(tmp_path))
    assert len(seen) == 4
    assert fingerprint(ROOT) == fingerprint(ROOT)


EDITED_BELOW = """
import pathlib, sys
import tariff_engine
from tariff_service.rulebook import open_engine
from tariff_service.law_cache import engine_as_loaded
file = pathlib.Path(tariff_engine.__file__).with_name("fees.py")
assert engine_as_loaded()
if sys.argv[1] == "edited":
    file.write_text(file.read_text(encoding="utf-8") + "# another engine\\n", encoding="utf-8")
print(open_engine(None).at().law.id)
"""


def test_an_engine_that_is_installed_anew_below_a_process_neither_keeps_nor_takes_a_law(tmp_path: Path) -> None:
    shutil.copytree(Path(tariff_engine.__file__).parent, tmp_path / "tariff_engine", ignore=shutil.ignore_patterns("__pycache__"))
    kept = tmp_path / "cache" / "laws"

    def start(how: str) -> str:
        paths = os.pathsep.join([str(tmp_path), str(Path(str(ROOT)).parent), str(Path(law_cache.__file__).parents[1])])
        environment = {**os.environ, "PYTHONPATH": paths, "TARIFF_CACHE_DIR": str(kept.parent)}
        told = subprocess.run([sys.executable, "-P", "-c", EDITED_BELOW, how], env=environment, capture_output=True, text=True, check=True)
        return told.stdout

    engine = tmp_path / "tariff_engine" / "fees.py"
    before = engine.read_bytes()
    first = start("edited")
    assert not kept.exists()
    assert start("as it is") == first
    (made_by_the_new,) = kept.iterdir()
    os.utime(made_by_the_new, (1, 1))
    engine.write_bytes(before)
    assert start("edited") == first
    assert list(kept.iterdir()) == [made_by_the_new]
    assert made_by_the_new.stat().st_mtime == 1  # whoever takes a law says so by its time
    assert start("as it is") == first
    assert made_by_the_new.stat().st_mtime > 1


def test_a_law_of_rules_that_were_edited_meanwhile_is_not_kept_as_that_of_the_earlier_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARIFF_CACHE_DIR", str(tmp_path / "cache"))
    rules = shutil.copytree(REPOSITORY / "tests" / "notation" / "good", tmp_path / "rules")
    file, day = rules / "programs" / "widgets.yaml", date(2024, 6, 1)
    text = file.read_text(encoding="utf-8")
    edited = open_engine(rules)
    file.write_text(text.replace("add: 25%", "add: 26%"), encoding="utf-8")
    wrong = edited.at(day).law.id
    file.write_text(text, encoding="utf-8")
    assert open_engine(rules).at(day).law.id != wrong
    assert len(list((tmp_path / "cache" / "laws").iterdir())) == 1


def test_the_law_of_another_day_is_not_made_of_rules_that_were_edited_since(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARIFF_CACHE_DIR", str(tmp_path / "cache"))
    rules = shutil.copytree(REPOSITORY / "tests" / "notation" / "good", tmp_path / "rules")
    open_engine(rules).at()  # its law is in the cache now, and the rules need not be read
    engine, file = open_engine(rules), rules / "programs" / "widgets.yaml"
    first = engine.at().law.id
    file.write_text(file.read_text(encoding="utf-8").replace("add: 25%", "add: 26%"), encoding="utf-8")
    with pytest.raises(ProblemError) as refused:
        engine.at(date(2020, 6, 1))
    assert refused.value.problem.code == "rules_changed"
    assert first in refused.value.problem.message
    assert engine.at().law.id == first


def test_the_second_start_takes_the_law_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARIFF_CACHE_DIR", str(tmp_path))
    first = open_engine(None).at().law

    def never(*_: Any) -> None:
        pytest.fail("the law was built again")

    monkeypatch.setattr("tariff_engine.build.build_law", never)
    assert open_engine(None).at().law.id == first.id
    monkeypatch.setenv("TARIFF_CACHE", "0")
    with pytest.raises(pytest.fail.Exception):
        open_engine(None).at()


def test_two_first_starts_at_once_both_answer_and_leave_one_law(
    process: Callable[..., subprocess.Popen[bytes]], screws: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARIFF_CACHE_DIR", str(tmp_path / "new"))
    file = tmp_path / "entry.json"
    file.write_text(json.dumps(screws), encoding="utf-8")
    both = [process("assess", str(file), stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    told = [command.communicate(timeout=180) for command in both]
    assert [command.returncode for command in both] == [0, 0]
    assert told[0] == told[1]
    assert len(list((tmp_path / "new" / "laws").iterdir())) == 1
