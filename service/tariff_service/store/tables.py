"""The tables of the store. A change here needs a migration: a test compares both."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()
_Seq = BigInteger().with_variant(Integer(), "sqlite")  # SQLite's own row number is an INTEGER

records = Table(
    "records",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("rulebook", Text, nullable=False),
    Column("engine", Text, nullable=False),
    Column("known_on", Text),
    Column("explain", Text, nullable=False),
    Column("key_sha256", Text),
    Column("entry_id", Text, nullable=False),
    Column("entry_date", Text),
    Column("problems", Integer, nullable=False),
    Column("request_type", Text, nullable=False),
    Column("request_sha256", Text, nullable=False),
    Column("places", Text, nullable=False),
    Column("parts_sha256", Text, nullable=False),
    Column("answer_sha256", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("prev", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("parts", LargeBinary),
    Column("salt", LargeBinary),
    Column("request", LargeBinary),
    Column("answer", LargeBinary),
)
Index("records_id", records.c.id, unique=True)
Index("records_key", records.c.key_sha256, unique=True)
Index("records_caller", records.c.caller, records.c.seq)
Index("records_entry", records.c.entry_id, records.c.seq)
Index("records_kind", records.c.kind, records.c.seq)
Index("records_at", records.c.at)

head = Table(
    "head",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("seq", _Seq, nullable=False),
    Column("hash", Text, nullable=False),
)

rulebooks = Table(
    "rulebooks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("edition", Text, nullable=False),
    Column("horizon", Text, nullable=False),
    Column("first_kept_at", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("caller", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("secret_sha256", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("rate_per_minute", Integer),
    Column("created_at", Text, nullable=False),
    Column("expires_at", Text),
    Column("revoked_at", Text),
    Column("replaced_by", Text),
)
