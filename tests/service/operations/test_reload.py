"""A new rulebook is taken into use while requests go on: no request fails, no answer mixes two rulebooks, a wrong one changes nothing."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import tarfile
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from tests.service.operations.conftest import BROKEN, DOUBLED, DUTY, EDITION, WIDGET, Change, InProcess
from tests.service.operations.load import Load, under_load
from tests.service.server import Running, children, running, until

from tariff_service.api.state import Service


def last_reload(served: Running) -> dict[str, Any] | None:
    found: dict[str, Any] | None = served.get("/v1/rulebooks").json()["last_reload"]
    return found


def assert_whole(load: Load, duties: dict[str, str]) -> None:
    """Every request was answered, and every answer is of one rulebook: its edition and its duty belong together."""
    assert not load.cut
    assert load.unheard == 0
    assert set(load.statuses) == {201}, [answer for answer in load.answers if "code" in answer][:3]
    assert {(answer["rulebook"]["edition"], answer["lines"][0]["duty"]) for answer in load.answers} == set(duties.items())
    assert len({answer["rulebook"]["id"] for answer in load.answers}) == len(duties)


@pytest.mark.parametrize("workers", [1, 2])
def test_signal_swaps_rulebook_under_load_without_failing_request(tmp_path: Path, rules: Path, change: Change, workers: int) -> None:
    with running(tmp_path, "--rules", str(rules), "--workers", str(workers)) as served, under_load(served.url, WIDGET) as load:
        until(lambda: len(load.answers) > 20)
        change(EDITION, *DOUBLED)
        served.signal(signal.SIGHUP)
        until(lambda: {answer.get("rulebook", answer).get("edition") for answer in load.answers[-200:]} == {"next"})
        load.stop.set()
        assert (last_reload(served) or {})["result"] in {"loaded", "unchanged"}
        assert served.log.count('"result":"loaded"') == workers
    assert_whole(load, {"test": DUTY, "next": "110.00"})


@pytest.mark.parametrize("workers", [1, 2])
def test_wrong_rulebook_is_refused_with_its_defects_and_old_one_goes_on(tmp_path: Path, rules: Path, change: Change, workers: int) -> None:
    with running(tmp_path, "--rules", str(rules), "--workers", str(workers)) as served, under_load(served.url, WIDGET, 2) as load:
        change(EDITION, BROKEN)
        served.signal(signal.SIGHUP)
        found = until(lambda: last_reload(served))
        load.stop.set()
        assert found["result"] == "refused"
        assert any(problem.startswith("programs/widgets.yaml:") for problem in found["problems"]), found
        assert str(rules) not in str(found["problems"])
        assert found["edition"] == "test"
        assert 'tariff_reloads_total{result="refused"} 1.0' in served.get("/metrics").text
    assert_whole(load, {"test": DUTY})


def test_worker_that_takes_the_place_of_a_dead_one_serves_the_rulebook_in_use_and_not_what_lies_in_the_folder(
    tmp_path: Path, rules: Path, change: Change
) -> None:
    with running(tmp_path, "--rules", str(rules), "--workers", "2") as served:
        change(BROKEN)
        for worker in children(served.pid):
            os.kill(worker, signal.SIGKILL)
        until(lambda: served.log.count("worker_died") == 2)
        served.client.close()
        served.client = httpx.Client(timeout=30, trust_env=False)
        served.wait_ready()
        assert served.post("/v1/assessments", json=WIDGET).json()["lines"][0]["duty"] == DUTY
        assert served.stop() == 0


def test_request_for_a_reload_loads_changed_rules_and_says_so(in_process: InProcess, change: Change) -> None:
    async def asking(client: httpx.AsyncClient, service: Service, _app: FastAPI) -> None:
        before = service.rulebooks.current
        assert (await client.post("/v1/rulebooks:reload")).json()["result"] == "unchanged"
        assert service.rulebooks.current is before
        change(EDITION)
        found = (await client.post("/v1/rulebooks:reload")).json()
        assert found["result"] == "loaded"
        assert (found["previous"], found["edition"]) == (before.id, "next")
        assert service.rulebooks.current.id == found["rulebook"] != before.id
        kept = (await client.get("/v1/rulebooks")).json()
        assert {one["edition"]: one["current"] for one in kept["items"]} == {"test": False, "next": True}
        assert kept["last_reload"] == found

    in_process(asking)


def test_old_rulebook_stays_on_disk_as_long_as_an_answer_holds_it(in_process: InProcess, change: Change) -> None:
    async def asking(client: httpx.AsyncClient, service: Service, _app: FastAPI) -> None:
        held = [service.rulebooks.current]
        folder = held[0].folder
        change(EDITION)
        assert (await client.post("/v1/rulebooks:reload")).status_code == 200
        assert held[0].book.edition == "test"  # it is read from the folder
        held.clear()
        assert not folder.exists()
        assert service.rulebooks.current.folder.exists()

    in_process(asking)


def test_refused_reload_is_a_problem_with_every_defect(in_process: InProcess, change: Change) -> None:
    async def asking(client: httpx.AsyncClient, service: Service, _app: FastAPI) -> None:
        before = service.rulebooks.current
        change(BROKEN)
        answer = await client.post("/v1/rulebooks:reload")
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "rulebook_wrong"
        assert all(error["code"] == "rulebook_wrong" and error["detail"] for error in answer.json()["errors"])
        assert service.rulebooks.current is before
        assert (await client.post("/v1/assessments", json=WIDGET)).status_code == 201

    in_process(asking)


def test_folder_that_is_gone_is_refused(in_process: InProcess, rules: Path) -> None:
    async def asking(client: httpx.AsyncClient, service: Service, _app: FastAPI) -> None:
        (rules / "book.yaml").unlink()
        answer = await client.post("/v1/rulebooks:reload")
        assert answer.status_code == 422
        assert (await client.get("/v1/rulebooks")).json()["last_reload"]["result"] == "refused"
        assert service.metrics.whole()[0]["tariff_reloads_total"] == {("refused",): 1.0}

    in_process(asking)


def test_second_reload_is_refused_while_one_runs(in_process: InProcess) -> None:
    async def asking(client: httpx.AsyncClient, _service: Service, _app: FastAPI) -> None:
        answers = await asyncio.gather(client.post("/v1/rulebooks:reload"), client.post("/v1/rulebooks:reload"))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        assert next(answer for answer in answers if answer.status_code == 409).json()["code"] == "reload_running"

    in_process(asking)


def test_requests_are_answered_while_rules_are_checked(in_process: InProcess, change: Change) -> None:
    async def asking(client: httpx.AsyncClient, _service: Service, _app: FastAPI) -> None:
        change(EDITION)
        reload = asyncio.ensure_future(client.post("/v1/rulebooks:reload"))
        answered = 0
        while not reload.done():
            assert (await client.post("/v1/assessments", json=WIDGET)).status_code == 201
            answered += 1
        assert answered > 5
        assert reload.result().json()["result"] == "loaded"

    in_process(asking)


def test_kept_rulebook_is_told_and_given_whole(in_process: InProcess, rules: Path) -> None:
    async def asking(client: httpx.AsyncClient, service: Service, _app: FastAPI) -> None:
        name = service.rulebooks.current.id
        told = await client.get(f"/v1/rulebooks/{name}")
        assert told.json()["current"] is True
        assert told.json()["edition"] == "test"
        for answer in (
            await client.get(f"/v1/rulebooks/{name}/content"),
            await client.get(f"/v1/rulebooks/{name}", headers={"Accept": "application/gzip"}),
        ):
            assert answer.headers["content-type"] == "application/gzip"
            with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:gz") as archive:
                member = archive.extractfile("book.yaml")
                assert member is not None
                assert member.read() == (rules / "book.yaml").read_bytes()
        again = await client.get(f"/v1/rulebooks/{name}/content", headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert (await client.get("/v1/rulebooks/sha256:0")).json()["code"] == "not_found"
        assert (await client.get("/v1/rulebooks/sha256:0/content")).json()["code"] == "not_found"
        assert (await client.get("/v1/rulebooks?a=1")).json()["code"] == "unknown_parameter"

    in_process(asking)
