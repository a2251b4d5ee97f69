"""The server that load.py asks: the service as it is, and beside it two routes that answer a fixed text of the same size.

One of them keeps its answer in the audit store as the service does, so that what is left between the two is assessing and explaining.
"""

from __future__ import annotations

import sys

from starlette.requests import Request
from starlette.responses import Response

from tariff_engine.entry import ENGINE
from tariff_service.api.app import create_app, open_service
from tariff_service.api.assessments import put
from tariff_service.api.bodies import read_whole
from tariff_service.api.settings import Settings
from tariff_service.serving import Conduct, GracefulServer, Place, config_of, listen
from tariff_service.store.records import Draft

ANSWER = b'{"lines":[' + b'"' + b"x" * 15_000 + b'"]}\n'


def main(port: int, store: str) -> None:
    settings = Settings(store=store, port=port, log_level="warning")
    service = open_service(settings)
    app = create_app(settings, service)

    @app.post("/benchmark/canned", include_in_schema=False)
    async def canned(request: Request) -> Response:
        await read_whole(request, settings)
        return Response(ANSWER, 201, {"Location": "/v1/assessments/x", "ETag": '"x"'}, "application/json")

    @app.post("/benchmark/kept", include_in_schema=False)
    async def kept(request: Request) -> Response:
        content = await read_whole(request, settings)
        served = service.rulebooks.current
        draft = Draft(
            caller="local",
            rulebook=served.id,
            engine=ENGINE,
            known_on=None,
            explain="full",
            request=content,
            request_type="application/json",
            answer=ANSWER,
            personal=served.personal,
        )
        receipt = await put(service, draft)
        return Response(ANSWER, 201, {"Location": f"/v1/assessments/{receipt.record_id}", "ETag": '"x"'}, "application/json")

    GracefulServer(config_of(settings, app), Conduct(service, reload=lambda: None)).run([listen(Place(settings.host, port))])


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
