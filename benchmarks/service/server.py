"""The server that load.py asks: the service as it is, and beside it a route that answers a fixed text of the same size."""

from __future__ import annotations

import sys

import uvicorn
from starlette.requests import Request
from starlette.responses import Response

from tariff_service.api.app import create_app
from tariff_service.api.bodies import read_whole
from tariff_service.api.settings import Settings

settings = Settings(store=sys.argv[2], port=int(sys.argv[1]), log_level="warning")
app = create_app(settings)
ANSWER = b'{"lines":[' + b'"' + b"x" * 9_000 + b'"]}\n'


@app.post("/benchmark/canned", include_in_schema=False)
async def canned(request: Request) -> Response:
    await read_whole(request, settings)
    return Response(ANSWER, 201, {"Location": "/v1/assessments/x", "ETag": '"x"'}, "application/json")


if __name__ == "__main__":
    uvicorn.run(app, host=settings.host, port=settings.port, log_level="warning", access_log=False, server_header=False)
