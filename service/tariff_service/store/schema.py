"""Bring the tables of a store to the form that this release reads and writes. Two processes that start at once do it once.

Where the tables are current already, as at nearly every start, one look at the version says so: the tool that changes tables takes longer to
load than the rest of the store.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, inspect, text

from tariff_service.store.engines import writing
from tariff_service.store.faults import StoreError

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

CURRENT: Final = "0001"  # the last of the migrations; a test compares both
_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 7_403_185_209_441  # any number that other users of the same PostgreSQL server do not take
_VERSIONS = "alembic_version"  # where Alembic notes what it did
_READ_VERSION = text(f"SELECT version_num FROM {_VERSIONS}")  # noqa: S608  a name of our own


@cache
def scripts() -> ScriptDirectory:
    """Return the migrations of this release."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    return ScriptDirectory(str(_FOLDER))


def version(connection: Connection) -> str | None:
    """Return the revision of a store's tables; None where there are none."""
    if not inspect(connection).has_table(_VERSIONS):
        return None
    found: str | None = connection.execute(_READ_VERSION).scalar()
    return found


def is_current(engine: Engine) -> bool:
    """Whether the tables are those of this release. Raises StoreError (store_newer)."""
    with engine.connect() as connection:
        return _checked(version(connection))


def _checked(found: str | None) -> bool:
    if found == CURRENT:
        return True
    if found is not None and found not in {script.revision for script in scripts().walk_revisions()}:
        raise StoreError("store_newer", f"the store has tables of form {found}, which this release does not know")
    return False


def upgrade(engine: Engine) -> None:
    """Run the migrations that are missing, all in one transaction. Raises StoreError (store_newer)."""
    from alembic.migration import MigrationContext  # noqa: PLC0415
    from alembic.operations import Operations  # noqa: PLC0415

    scripts().get_current_head()  # read before the lock is taken: who waits for it waits for the tables only
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
