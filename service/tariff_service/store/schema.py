"""Bring the tables of a store to the form that this release reads and writes. Two processes that start at once do it once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from tariff_service.store.engines import writing
from tariff_service.store.faults import StoreError

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 7_403_185_209_441  # any number that other users of the same PostgreSQL server do not take


@cache
def scripts() -> ScriptDirectory:
    """Return the migrations of this release."""
    return ScriptDirectory(str(_FOLDER))


def version(connection: Connection) -> str | None:
    """Return the revision of a store's tables; None where there are none."""
    return MigrationContext.configure(connection).get_current_revision()


def is_current(engine: Engine) -> bool:
    """Whether the tables are those of this release. Raises StoreError (store_newer)."""
    with engine.connect() as connection:
        return _checked(version(connection))


def _checked(found: str | None) -> bool:
    known = {script.revision for script in scripts().walk_revisions()}
    if found is not None and found not in known:
        raise StoreError("store_newer", f"the store has tables of form {found}, which this release does not know")
    return found == scripts().get_current_head()


def upgrade(engine: Engine) -> None:
    """Run the migrations that are missing, all in one transaction. Raises StoreError (store_newer)."""
    with writing(engine).begin() as connection:  # on SQLite this is the lock
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if _checked(version(connection)):
            return
        context = MigrationContext.configure(
            connection,
            opts={"fn": lambda revision, _: scripts()._upgrade_revs("head", revision)},  # noqa: SLF001  what Alembic's own command calls
        )
        with Operations.context(context):
            context.run_migrations()
