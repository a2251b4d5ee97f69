"""The first tables: the log with its head, the rulebooks, the keys of callers, and the triggers that keep the log append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tariff_service.store.records import GENESIS

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_FIXED = (
    "seq",
    "kind",
    "id",
    "at",
    "caller",
    "rulebook",
    "engine",
    "known_on",
    "explain",
    "key_sha256",
    "entry_id",
    "entry_date",
    "problems",
    "request_type",
    "request_sha256",
    "places",
    "parts_sha256",
    "answer_sha256",
    "detail",
    "prev",
    "hash",
)
_REMOVABLE = ("parts", "salt", "request", "answer")


def upgrade() -> None:
    """Make the tables."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "records",
        sa.Column("seq", number, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("rulebook", sa.Text, nullable=False),
        sa.Column("engine", sa.Text, nullable=False),
        sa.Column("known_on", sa.Text),
        sa.Column("explain", sa.Text, nullable=False),
        sa.Column("key_sha256", sa.Text),
        sa.Column("entry_id", sa.Text, nullable=False),
        sa.Column("entry_date", sa.Text),
        sa.Column("problems", sa.Integer, nullable=False),
        sa.Column("request_type", sa.Text, nullable=False),
        sa.Column("request_sha256", sa.Text, nullable=False),
        sa.Column("places", sa.Text, nullable=False),
        sa.Column("parts_sha256", sa.Text, nullable=False),
        sa.Column("answer_sha256", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("prev", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("parts", sa.LargeBinary),
        sa.Column("salt", sa.LargeBinary),
        sa.Column("request", sa.LargeBinary),
        sa.Column("answer", sa.LargeBinary),
    )
    op.create_index("records_id", "records", ["id"], unique=True)
    op.create_index("records_key", "records", ["key_sha256"], unique=True)
    op.create_index("records_caller", "records", ["caller", "seq"])
    op.create_index("records_entry", "records", ["entry_id", "seq"])
    op.create_index("records_kind", "records", ["kind", "seq"])
    op.create_index("records_at", "records", ["at"])
    head = op.create_table(
        "head",
        sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", number, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    op.bulk_insert(head, [{"one": 1, "seq": 0, "hash": GENESIS}])
    op.create_table(
        "rulebooks",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("edition", sa.Text, nullable=False),
        sa.Column("horizon", sa.Text, nullable=False),
        sa.Column("first_kept_at", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("secret_sha256", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("rate_per_minute", sa.Integer),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text),
        sa.Column("revoked_at", sa.Text),
        sa.Column("replaced_by", sa.Text),
    )
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(sa.text(statement))


_SAME_SQLITE = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in _FIXED)
_EMPTIED_SQLITE = " AND ".join(f"(NEW.{name} IS NULL OR NEW.{name} IS OLD.{name})" for name in _REMOVABLE)
_SQLITE = (
    "CREATE TRIGGER records_no_delete BEFORE DELETE ON records BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    f"""CREATE TRIGGER records_no_update BEFORE UPDATE ON records WHEN NOT ({_SAME_SQLITE} AND {_EMPTIED_SQLITE})
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
    # INSERT OR REPLACE deletes without asking the trigger above.
    """CREATE TRIGGER records_no_replace BEFORE INSERT ON records WHEN NEW.seq <= (SELECT seq FROM head WHERE one = 1)
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
    "CREATE TRIGGER head_no_insert BEFORE INSERT ON head BEGIN SELECT RAISE(ABORT, 'there is one head'); END",
    "CREATE TRIGGER head_no_delete BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT, 'the head stays'); END",
    """CREATE TRIGGER head_forward BEFORE UPDATE ON head WHEN NEW.seq <= OLD.seq OR NEW.one IS NOT OLD.one
        BEGIN SELECT RAISE(ABORT, 'the head only goes forward'); END""",
    "CREATE TRIGGER rulebooks_no_delete BEFORE DELETE ON rulebooks BEGIN SELECT RAISE(ABORT, 'rulebooks are kept'); END",
    "CREATE TRIGGER rulebooks_no_update BEFORE UPDATE ON rulebooks BEGIN SELECT RAISE(ABORT, 'rulebooks are kept'); END",
    """CREATE TRIGGER rulebooks_no_replace BEFORE INSERT ON rulebooks WHEN EXISTS (SELECT 1 FROM rulebooks WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'rulebooks are kept'); END""",
)
_FIXED_OF = {who: ", ".join(f"{who}.{name}" for name in _FIXED) for who in ("NEW", "OLD")}
_EMPTIED_POSTGRESQL = " AND ".join(f"(NEW.{name} IS NULL OR NEW.{name} IS NOT DISTINCT FROM OLD.{name})" for name in _REMOVABLE)
_POSTGRESQL = (
    """CREATE FUNCTION tariff_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$""",
    f"""CREATE FUNCTION tariff_only_empty() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF ROW({_FIXED_OF["NEW"]}) IS DISTINCT FROM ROW({_FIXED_OF["OLD"]}) OR NOT ({_EMPTIED_POSTGRESQL}) THEN
                RAISE EXCEPTION 'records is append-only';
            END IF;
            RETURN NEW;
        END $$""",
    """CREATE FUNCTION tariff_forward() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.seq <= OLD.seq OR NEW.one <> OLD.one THEN RAISE EXCEPTION 'the head only goes forward'; END IF;
            RETURN NEW;
        END $$""",
    "CREATE TRIGGER records_no_update BEFORE UPDATE ON records FOR EACH ROW EXECUTE FUNCTION tariff_only_empty()",
    "CREATE TRIGGER head_forward BEFORE UPDATE ON head FOR EACH ROW EXECUTE FUNCTION tariff_forward()",
    "CREATE TRIGGER head_no_insert BEFORE INSERT ON head FOR EACH ROW EXECUTE FUNCTION tariff_append_only()",
    "CREATE TRIGGER rulebooks_no_update BEFORE UPDATE ON rulebooks FOR EACH ROW EXECUTE FUNCTION tariff_append_only()",
    *(
        f"CREATE TRIGGER {table}_no_{event} BEFORE {event} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION tariff_append_only()"
        for table in ("records", "head", "rulebooks")
        for event in ("delete", "truncate")
    ),
)
