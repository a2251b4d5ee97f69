"""A real PostgreSQL server for the tests of several processes."""

from __future__ import annotations

from tests.store.postgres import postgres_server

__all__ = ["postgres_server"]
