"""Every command, program and piece of JSON that a document shows is run here, or the document says above it why not, or what runs it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.cli.conftest import CANADIAN, SCREWS
from tests.cli.snippets import ELSEWHERE, ROOT, Snippet, pages, parsed, snippets

from tariff_service.api.app import create_app
from tariff_service.api.settings import Settings

Tariff = Callable[..., Any]
RUN = ("sh", "python", "json", "http", "yaml")
SAFE = (
    "assess",
    "compare",
    "explain",
    "history",
    "refund",
    "rules",
    "schedule",
    "timeline",
    "what-if",
)  # they end, and need no server, store or network
_CURL = {"-i": False, "-s": False, "-sN": False, "-H": True, "-d": True}


def runnable(page: str) -> list[Snippet]:
    return [one for one in snippets(page) if one.kind in RUN and not one.mark]


# Most of a minute together: with HYPOTHESIS_PROFILE=ci or long.
LONG = ("docs/boundaries.md", "docs/cli.md", "docs/proof.md", "docs/start/developer.md", "docs/start/rule-author.md")
QUICK = os.environ.get("HYPOTHESIS_PROFILE", "default") == "default"
PAGES = [page for page in pages() if page not in ELSEWHERE and runnable(page) and not (QUICK and page in LONG)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the files that documents speak of, as the current one."""
    (tmp_path / "line.yaml").write_text(json.dumps({key: value for key, value in SCREWS.items() if key != "origin"} | {"origin": "CN"}))
    (tmp_path / "entry.json").write_text(json.dumps(SCREWS))
    (tmp_path / "entry.yaml").write_text(json.dumps(CANADIAN))
    (tmp_path / "lines.jsonl").write_text(
        "".join(json.dumps({"id": str(place), **one}) + "\n" for place, one in enumerate((SCREWS, CANADIAN)))
    )
    rows = next(one.text for one in snippets("docs/refunds.md") if one.kind == "csv")
    (tmp_path / "entries.csv").write_text(rows, encoding="utf-8")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    shutil.copytree(ROOT / "rules" / "tariff_rules", tmp_path / "my-rules", ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    place = tmp_path_factory.mktemp("snippets") / "audit.sqlite"
    with TestClient(create_app(Settings(store=f"sqlite:///{place}")), base_url="http://localhost") as found:
        yield found


@pytest.mark.parametrize("page", PAGES)
def test_what_a_document_shows_runs(
    page: str, folder: Path, tariff: Tariff, client: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    for one in runnable(page):
        if one.kind == "sh":
            for command in one.commands:
                _run(command, one, tariff, client)
        elif one.kind == "python":
            exec(compile(one.text, page, "exec"), {"__name__": "snippet"})  # noqa: S102  our own text
            assert "Traceback" not in capsys.readouterr().err
        elif one.kind == "json":
            _read(one, tariff)
        elif one.name:
            (folder / one.name).write_text(one.text, encoding="utf-8")
        elif one.kind == "yaml" and "entry_date" in one.text:
            answer = tariff("assess", "-", stdin=one.text.encode())
            assert answer.code == 0, (page, one.line, answer.out)


def _run(command: str, one: Snippet, tariff: Tariff, client: TestClient) -> None:
    where = f"{one.page}:{one.line}: {command}"
    if command.startswith("curl "):
        answer = _asked(client, command)
        assert answer.status_code in {200, 201}, (where, answer.text)
        return
    asked = parsed(command)
    assert (asked.words[0], asked.words[1] in SAFE) == ("tariff", True), f"{where}: say above it why it is not run"
    answer = tariff(*asked.words[1:], stdin=Path(asked.given).read_bytes() if asked.given else b"")
    assert answer.code == 0, (where, answer.out[-2000:], answer.err)
    assert answer.out.strip(), where
    if asked.kept:
        Path(asked.kept).write_text(answer.out, encoding="utf-8")


def _asked(client: TestClient, command: str) -> Any:
    words = shlex.split(command)[1:]
    url, headers, body = "", {}, None
    while words:
        word = words.pop(0)
        if word not in _CURL:
            url = word
        elif word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = words.pop(0)
    return client.request("GET" if body is None else "POST", url.removeprefix("localhost:8000"), headers=headers, content=body)


def _read(one: Snippet, tariff: Tariff) -> None:
    """JSON can be read; a line with its facts can be assessed."""
    found = json.loads(one.text)
    if isinstance(found, dict) and {"hts", "entry_date"} <= found.keys():
        answer = tariff("assess", "--jsonl", stdin=json.dumps(found).encode())
        assert answer.code == 0, (one.page, one.line, answer.out)


# ---------------------------------------------------------------- what is not run
@pytest.mark.parametrize("page", [page for page in pages() if page not in ELSEWHERE])
def test_every_command_that_no_mark_excuses_can_be_run_here(page: str) -> None:
    commands = [(one.line, command) for one in runnable(page) if one.kind == "sh" for command in one.commands]
    words = [(line, parsed(command).words) for line, command in commands if not command.startswith("curl ")]
    assert [(line, found) for line, found in words if found[0] != "tariff" or found[1] not in SAFE] == [], "say above it why it is not run"


@pytest.mark.parametrize("page", pages())
def test_what_is_not_run_says_why_or_names_the_test_that_runs_it(page: str) -> None:
    for one in snippets(page):
        if one.mark.startswith("run by "):
            test = one.mark.split()[2].rstrip(".,;:")
            assert (ROOT / test).is_file() or (ROOT / test).is_dir(), (page, one.line, test)


def test_documents_with_a_test_of_their_own_are_named_in_it() -> None:
    for page, test in ELSEWHERE.items():
        assert Path(page).name in (ROOT / test).read_text(encoding="utf-8")


def test_blocks_are_found_with_their_marks_and_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "# T\n\n    tariff rules list     all of them\n\nWords\n\n<!-- not run: it needs a thing that is not here -->\n\n```sh\npip install x # y\n```\n\n```json\n{}\n```\n"
    (tmp_path / "page.md").write_text(text)
    monkeypatch.setattr("tests.cli.snippets.ROOT", tmp_path)
    one, two, three = snippets("page.md")
    assert (one.kind, one.commands, one.mark) == ("sh", ["tariff rules list"], "")
    assert (two.kind, two.commands, two.mark) == ("sh", ["pip install x"], "not run: it needs a thing that is not here")
    assert (three.kind, three.mark) == ("json", "")
    assert parsed("python3 run.py tariff assess - < a > b").words == ["tariff", "assess", "-"]
    assert os.sep not in one.page
