"""What a server writes down: nothing that says who somebody is, and nothing that opens anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.service.security.raw import LINE
from tests.service.server import running

from tariff_service import keys
from tariff_service.api import assessments
from tariff_service.store.store import AuditStore

CONSIGNEE = "Quillfeather Zanzibar Holdings"
MARK = "zqxjkvbp"  # stands in everything that a client can make up


@pytest.mark.parametrize(("level", "form"), [("debug", "json"), ("info", "text")])
def test_no_log_holds_a_key_a_consignee_or_what_a_client_made_up(tmp_path: Path, level: str, form: str) -> None:
    place = tmp_path / "server"
    place.mkdir()
    store = AuditStore.open(str(place / "audit.db"))
    issued = keys.create(store, "acme", ["assess", "read"])
    store.close()
    secret = issued.text.split("_")[2]
    with running(place, "--auth", "--log-level", level, "--log-format", form) as served:
        own = {"Authorization": f"Bearer {issued.text}"}
        line = {**LINE, "consignee": CONSIGNEE}
        assert served.post("/v1/assessments", json=line, headers=own).status_code == 201
        answered = [
            served.post("/v1/assessments", json={**line, "hts": MARK}, headers=own),
            served.post("/v1/assessments", json={**line, MARK: CONSIGNEE}, headers=own),
            served.post(
                "/v1/assessments", content=f'{{"consignee": "{CONSIGNEE}", {MARK}', headers={**own, "Content-Type": "application/json"}
            ),
            served.post(f"/v1/assessments?{MARK}={MARK}", json=line, headers=own),
            served.post("/v1/assessments", json=line, headers={**own, "Idempotency-Key": MARK}),
            served.post("/v1/assessments", json=line, headers={**own, "X-Request-Id": f"{MARK} {CONSIGNEE}"}),
            served.post(
                "/v1/assessments", json=line, headers={**own, "User-Agent": MARK, "Referer": f"http://{MARK}/{CONSIGNEE}", "Cookie": MARK}
            ),
            served.get(f"/v1/assessments?entry_id={MARK}", headers=own),
            served.get(f"/v1/assessments/{MARK}", headers=own),
            served.get(f"/{MARK}/{issued.text}", headers=own),
            served.get(f"/problems/{MARK}"),
            served.get(f"/v1/assessments?key={issued.text}"),
            served.get("/v1/assessments", headers={"X-API-Key": issued.text[:-1]}),
            served.get("/v1/assessments", headers={**own, "Origin": f"https://{MARK}.example"}),
            served.post(
                "/v1/assessments:batch",
                content=f'{{"consignee": "{CONSIGNEE}"}}\n{MARK}\n',
                headers={**own, "Content-Type": "application/x-ndjson"},
            ),
        ]
        assert all(found.status_code < 500 for found in answered)
        assert served.stop() == 0
        written = served.first_line + served.log
    assert '"status":201' in written or "status=201" in written, "requests are logged"
    assert "acme" in written, "whose they were is logged"
    for hidden in (secret, secret[:-1], issued.text[:-1], keys.secret_hash(secret), CONSIGNEE, CONSIGNEE.split(maxsplit=1)[0], MARK):
        assert hidden not in written, [row for row in written.splitlines() if hidden in row][:3]


def test_a_fault_is_logged_without_what_was_sent(
    whole: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The message of an error may quote the input; where it arose does not."""

    async def fail(*_args: object, **_kwargs: object) -> None:
        raise ValueError(CONSIGNEE)

    monkeypatch.setattr(assessments, "assess", fail)
    found = whole.post("/v1/assessments", json={**LINE, "consignee": CONSIGNEE})
    assert (found.status_code, found.json()["code"]) == (500, "internal_error")
    assert found.headers["x-content-type-options"] == "nosniff"
    assert CONSIGNEE not in found.text
    captured = capfd.readouterr()
    written = captured.out + captured.err + "".join(f"{vars(record)}" for record in caplog.records)
    assert "ValueError" in written, "the operator learns of it"
    assert CONSIGNEE not in written
