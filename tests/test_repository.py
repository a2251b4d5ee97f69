"""What holds for the repository as a whole: locks, packaging, and the principle that law is data."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tariff_engine import __version__

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("rules/tariff_rules", "engine/tariff_engine", "service/tariff_service")
LOCKS = ("runtime", "build", "dev")


def pyproject() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def project_files() -> Iterator[Path]:
    """Walk the project's own files: no environment, cache or build, and no need of git."""
    for folder, subfolders, names in os.walk(ROOT):
        here = Path(folder)
        subfolders[:] = [
            name
            for name in subfolders
            if (name == ".ci" or not name.startswith("."))
            and name not in ("__pycache__", "build", "dist", "node_modules")
            and not name.endswith(".egg-info")
            and not (here / name / "pyvenv.cfg").exists()
        ]
        yield from (here / name for name in names if not (name.startswith(".venv") or name == "uv.lock"))


@cache
def project_texts() -> tuple[tuple[str, str], ...]:
    """Return name and text of every file of the project that is text."""
    found = ((path.relative_to(ROOT).as_posix(), path.read_bytes()) for path in project_files())
    return tuple((name, content.decode()) for name, content in found if b"\0" not in content)


def places(pattern: str) -> list[str]:
    """Return `file:line: text` for every match in the project's files."""
    wanted = re.compile(pattern)
    return [
        f"{name}:{number}: {line.strip()}"
        for name, text in project_texts()
        if wanted.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if wanted.search(line)
    ]


# ---------------------------------------------------------------------------------------------------------------- locks


def locked(name: str) -> dict[str, set[Version]]:
    """Read a lock; a line that is neither a pin, a hash of it nor a comment is an error, so no option can name an index."""
    pins: dict[str, set[Version]] = defaultdict(set)
    hashes: dict[str, int] = defaultdict(int)
    pin = ""
    for line in (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.lstrip().startswith("#"):
            continue
        if re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}( \\)?", line):
            hashes[pin] += 1
        else:
            found = re.fullmatch(r"([a-z0-9-]+)==([^ ;]+)(?: ; [^\\]+)? \\", line)
            assert found, f"{name}.txt: {line!r} is no pin, hash or comment"
            pin = found[0]
            pins[found[1]].add(Version(found[2]))
            hashes[pin] += 0
    assert [pin for pin, count in hashes.items() if count == 0] == []
    return dict(pins)


def needs(name: str) -> list[str]:
    """Return the requirements in pyproject.toml that a lock pins."""
    project = pyproject()
    run: list[str] = project["project"]["dependencies"]
    build: list[str] = project["build-system"]["requires"]
    tools: list[str] = project["project"]["optional-dependencies"]["dev"]
    return {"runtime": run, "build": build, "dev": [*run, *build, *tools]}[name]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_all_that_pyproject_asks_for_at_a_version_that_it_allows(lock: str) -> None:
    pins = locked(lock)
    wanted = [Requirement(text) for text in needs(lock)]
    wrong = [
        str(need)
        for need in wanted
        if not (found := pins.get(canonicalize_name(need.name))) or not all(version in need.specifier for version in found)
    ]
    assert wrong == [], "renew the locks: bash requirements/renew.sh"


@pytest.mark.parametrize("lock", ["runtime", "build"])
def test_the_full_lock_holds_the_smaller_ones_so_that_one_environment_can_grow(lock: str) -> None:
    full = locked("dev")
    assert {name: versions for name, versions in locked(lock).items() if full.get(name) != versions} == {}


def test_the_second_engine_is_locked_as_source_at_the_version_that_the_extra_names() -> None:
    (extra,) = pyproject()["project"]["optional-dependencies"]["durable"]
    ((name, versions),) = locked("durable").items()
    assert [f"{name}=={version}" for version in versions] == [extra]
    assert set(locked("source-build")) == {"setuptools"}


def test_spark_is_locked_with_what_it_needs_at_versions_that_the_extra_allows() -> None:
    pins = locked("spark")
    wanted = [Requirement(text) for text in pyproject()["project"]["optional-dependencies"]["spark"]]
    own = [need for need in wanted if need.name in {"pyspark", "pandas"}]
    assert len(own) == 2
    assert all(version in need.specifier for need in own for version in pins[need.name])
    shared = locked("dev")
    assert {name: pins[name] for name in pins if name in shared} == {name: shared[name] for name in pins if name in shared}


def test_pip_and_uv_are_told_of_the_same_tools() -> None:
    groups = pyproject()["dependency-groups"]

    def flat(name: str) -> Iterator[str]:
        for entry in groups[name]:
            if isinstance(entry, str):
                yield entry
            else:
                yield from flat(entry["include-group"])

    assert sorted(flat("dev")) == sorted(pyproject()["project"]["optional-dependencies"]["dev"])
    assert sorted(flat("build")) == sorted(pyproject()["build-system"]["requires"])


def test_the_locks_hold_no_address() -> None:
    assert [place for place in places(r"://|https?\b|\bfile:") if place.startswith("requirements/") and ".txt:" in place] == []


def test_no_file_names_the_host_of_a_package_registry() -> None:
    assert places(r"(?:pypi|pythonhosted|npmjs|yarnpkg|crates)\.(?:org|io|com)\b") == []


def test_no_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    assert places(r"(?<![\w./:<>%*-])/(?:home|root|Users|work|tmp|private|opt)/\w|\b[A-Z]:\\+Users\\") == []
    assert [name for name, text in project_texts() if str(ROOT) in text] == []


# ------------------------------------------------------------------------------------------------------------ packaging


def test_the_licence_is_the_one_that_the_package_declares() -> None:
    text = " ".join((ROOT / "LICENSE").read_text(encoding="utf-8").split())
    assert text.startswith("Apache License Version 2.0")
    assert "END OF TERMS AND CONDITIONS" in text
    assert pyproject()["project"]["license"] == "Apache-2.0"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_a_typed_package(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
    assert (ROOT / package / "__init__.py").is_file()


def test_the_rules_package_holds_no_python_but_the_place_of_its_files() -> None:
    """The law is data: a lawyer can own this folder."""
    assert [path.name for path in (ROOT / PACKAGES[0]).rglob("*.py")] == ["__init__.py"]


def test_the_version_is_stated_once() -> None:
    """The engine's version stands in its package, where answers take it from; the build reads it there."""
    assert "version" in pyproject()["project"]["dynamic"]
    assert [place.partition(":")[0] for place in places(r"(?m)^__version__\s*=\s*[\"']")] == ["engine/tariff_engine/__init__.py"]


def test_the_changelog_opens_with_what_is_unreleased_and_knows_the_version_if_it_was_released() -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert headings[1:2] in ([], [__version__])


def test_decisions_are_numbered_without_gap_and_say_context_choice_and_consequences() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    for path in decisions:
        headings = re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["Context", "Choice", "Consequences"], path.name


def test_the_wheel_holds_the_three_packages_with_all_their_data_and_nothing_else(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-P", "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    ours = {
        path.relative_to(ROOT / package).as_posix()
        for package in ("rules", "engine", "service")
        for path in project_files()
        if path.is_relative_to(ROOT / package / f"tariff_{package}")
    }
    assert inside == ours
    assert any(name.startswith("tariff_rules/") and not name.endswith((".py", "py.typed")) for name in inside)


# --------------------------------------------------------------------------------------------------------------- run.py


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call run.py from a folder that is not the project's."""
    return subprocess.run(
        [sys.executable, str(ROOT / "run.py"), *arguments],
        cwd=ROOT.parent,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_run_py_explains_itself_without_installing_anything(tmp_path: Path) -> None:
    home = tmp_path / "environment"
    answer = run("--help", TARIFF_VENV=str(home))
    assert answer.returncode == 0
    assert all(command in answer.stdout for command in ("tariff", "test", "check", "docs", str(home)))
    assert not home.exists()


def test_run_py_names_the_commands_when_it_does_not_know_one() -> None:
    answer = run("asses")
    assert answer.returncode == 2
    assert "run.py does not know 'asses'" in answer.stderr
    assert "usage:" in answer.stderr
    assert answer.stdout == ""


def test_run_py_never_clears_a_folder_that_is_not_an_environment(tmp_path: Path) -> None:
    keepsake = tmp_path / "home" / "thesis.txt"
    keepsake.parent.mkdir()
    keepsake.write_text("years of work", encoding="utf-8")
    answer = run("test", TARIFF_VENV=str(keepsake.parent))
    assert answer.returncode == 1
    assert "holds something else" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert keepsake.read_text(encoding="utf-8") == "years of work"


# ---------------------------------------------------------------------------------------------------------- law is data

HEADING = re.compile(r"\b(?:99\d\d\.\d\d|\d{4}\.\d\d\.\d\d(?:\d\d)?)\b")
DATE = re.compile(r"\b(?:19|20)\d\d-\d\d-\d\d\b")
EXAMPLE = re.compile(r"\bsuch as \S+")


@cache
def origins() -> frozenset[str]:
    """Return every code of a country or territory that the law book's groups of origins name."""
    return frozenset(re.findall(r"\b[A-Z]{2}\b", (ROOT / PACKAGES[0] / "origins.yaml").read_text(encoding="utf-8")))


def law_in(source: str) -> list[str]:
    """Return `line: what` for each literal of the law in Python code. Docstrings may give examples, and messages after "such as"."""
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in docstrings:
                stated = EXAMPLE.sub("", text)
                if HEADING.search(stated) or DATE.search(stated) or stated in origins():
                    found.append(f"{node.lineno}: {text!r}")
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[ast.Constant(value=int(year)), *_]):
                if name in ("date", "datetime") and year >= 1900:
                    found.append(f"{node.lineno}: {name}({year}, ...)")
    return found


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('heading = "9903.01.10"', 1),
        ('chapter = f"see {x} and 9903.88"', 1),
        ('number = "8703.23.0190"', 1),
        ('start = "2025-03-04"', 1),
        ("start = date(2025, 3, 4)", 1),
        ("start = datetime.date(2025, 3, 4)", 1),
        ('if origin in ("CA", "MX"): pass', 2),
        ('def f():\n    """Read 9903.01.10 of CA on 2025-03-04."""', 0),
        ('fix = "write a date such as 2025-03-04"', 0),
        ('fix = "write a date such as 2025-03-04, not 2025-03-05"', 1),
        ('format = "%Y-%m-%d"; unset = date(1, 1, 1); kind = "AD"', 0),
    ],
)
def test_the_search_for_law_in_python_finds_headings_dates_and_origins_outside_docstrings(source: str, count: int) -> None:
    assert len(law_in(source)) == count


@pytest.mark.parametrize("package", PACKAGES[1:])
def test_law_is_data_no_heading_date_or_origin_stands_in_python(package: str) -> None:
    law = {
        path.relative_to(ROOT).as_posix(): found
        for path in sorted((ROOT / package).rglob("*.py"))
        if (found := law_in(path.read_text(encoding="utf-8")))
    }
    assert law == {}
