"""API keys: made, listed, rotated, revoked, recognised. The store holds the hash of a key's secret, never the key.

A key reads `tk_ID_SECRET`. The id finds the row and may stand in logs and lists; the secret is 256 bits from the system's source of
chance. Its SHA-256 is enough: a slow hash (scrypt, Argon2) makes guessing dear where people choose words, but nobody can try 2**256
secrets at any price, and it would cost every request what it is meant to cost an attacker.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b32encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from tariff_engine.problems import ProblemError, refuse
from tariff_service.api.callers import LOCAL, SCOPES
from tariff_service.store.records import now, stamp
from tariff_service.store.store import AuditStore
from tariff_service.store.tables import api_keys

PREFIX = "tk"
MAX_RATE = 10_000_000  # requests a minute
MAX_DAYS = 3_660
MAX_GRACE = 24 * 366  # hours
_CALLER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_ID = re.compile(r"[a-z2-7]{12}")
_SECRET = re.compile(r"[a-z2-7]{52}")
_MAX_NAME = 100
_ID_BYTES, _SECRET_BYTES = 7, 32
_ID_LENGTH = 12
_NOBODY = "0" * 64  # what the hash of a secret is compared with where the id is unknown: the same work, and never equal


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as the store knows it. Moments are RFC 3339 in UTC, as `records.stamp` writes them."""

    id: str
    caller: str
    name: str
    secret_sha256: str = field(repr=False)
    scopes: frozenset[str]
    rate_per_minute: int | None
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    replaced_by: str | None

    def state(self, at: str) -> str:
        """Return active, rotated (still valid for its grace), expired or revoked, as of a moment."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= at:
            return "expired"
        return "active" if self.replaced_by is None else "rotated"

    def shown(self, at: str) -> dict[str, Any]:
        """Return what may be shown of a key: nothing of its secret, not even the hash."""
        return {
            "id": self.id,
            "caller": self.caller,
            "name": self.name,
            "scopes": sorted(self.scopes),
            "rate_per_minute": self.rate_per_minute,
            "state": self.state(at),
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "revoked_at": self.revoked_at,
            "replaced_by": self.replaced_by,
        }


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key, with the text that is shown once."""

    key: ApiKey
    text: str = field(repr=False)


# ---------------------------------------------------------------- the form of a key
def _chance(size: int) -> str:
    return b32encode(secrets.token_bytes(size)).decode().rstrip("=").lower()


def parse(text: str) -> tuple[str, str] | None:
    """Return the id and the secret of a key, or None where the text has not the form of one.

    >>> parse("tk_aaaaaaaaaaaa_" + "b" * 52) == ("aaaaaaaaaaaa", "b" * 52)
    True
    >>> parse("tk_short")
    """
    parts = text.split("_")
    if len(parts) != 3 or parts[0] != PREFIX or not _ID.fullmatch(parts[1]) or not _SECRET.fullmatch(parts[2]):  # noqa: PLR2004  as written
        return None
    return parts[1], parts[2]


def secret_hash(secret: str) -> str:
    """Return the hash under which a secret is kept."""
    return hashlib.sha256(secret.encode()).hexdigest()


def recognise(keys: Mapping[str, ApiKey], text: str, at: str) -> ApiKey | None:
    """Return the key that a text is, if it is valid at a moment. A wrong id costs the same work as a wrong secret."""
    key_id, secret = parse(text) or ("", "")
    key = keys.get(key_id)
    same = hmac.compare_digest(secret_hash(secret), _NOBODY if key is None else key.secret_sha256)
    return key if same and key is not None and key.state(at) in {"active", "rotated"} else None


# ---------------------------------------------------------------- in the store
def create(
    store: AuditStore, caller: str, scopes: Collection[str], *, name: str = "", rate: int | None = None, days: int | None = None
) -> Issued:
    """Make a key for a caller. `rate` is requests a minute, `days` how long it is valid. Raises ProblemError and StoreError."""
    _check(caller, scopes, name, rate, days)
    moment = now()
    expires = None if days is None else stamp(moment + timedelta(days=days))
    with store.writing() as connection:
        return _insert(connection, caller, name, frozenset(scopes), rate, moment, expires)


def list_keys(store: AuditStore, *, valid: bool = False) -> list[ApiKey]:
    """Return the keys, oldest first; with `valid` only those that open something now. Raises StoreError."""
    wanted = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)
    if valid:
        wanted = wanted.where(api_keys.c.revoked_at.is_(None))
        wanted = wanted.where(api_keys.c.expires_at.is_(None) | (api_keys.c.expires_at > stamp(now())))
    with store.reading() as connection:
        return [_key(row) for row in connection.execute(wanted).mappings()]


def rotate(store: AuditStore, key_id: str, *, grace: int = 24) -> Issued:
    """Make a successor with the same caller, scopes and rate; the old key ends after `grace` hours. Raises ProblemError and StoreError.

    A key that ends on a day hands its days on: the successor is valid for as long as the old one was made for.
    """
    if not 0 <= grace <= MAX_GRACE:
        raise refuse("out_of_range", "grace", f"a grace of {grace} hours", f"state 0 to {MAX_GRACE} hours")
    moment = now()
    with store.writing() as connection:
        old = _find(connection, key_id)
        state = old.state(stamp(moment))
        if state != "active":
            raise refuse("key_ended", "KEY", f"the key {key_id} is {state}", "make a new one with `tariff keys create`")
        life = None if old.expires_at is None else datetime.fromisoformat(old.expires_at) - datetime.fromisoformat(old.created_at)
        expires = None if life is None else stamp(moment + life)
        issued = _insert(connection, old.caller, old.name, old.scopes, old.rate_per_minute, moment, expires)
        end = stamp(moment + timedelta(hours=grace))
        end = end if old.expires_at is None else min(end, old.expires_at)
        connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(replaced_by=issued.key.id, expires_at=end))
    return issued


def revoke(store: AuditStore, key_id: str) -> ApiKey:
    """End a key now; ending it again changes nothing. Servers learn of it within seconds. Raises ProblemError and StoreError."""
    with store.writing() as connection:
        old = _find(connection, key_id)
        if old.revoked_at is None:
            connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=stamp(now())))
        return _find(connection, key_id)


def verify(store: AuditStore, text: str) -> ApiKey | None:
    """Return the key that a text is, if it is valid now. Raises StoreError."""
    return recognise({key.id: key for key in list_keys(store, valid=True)}, text, stamp(now()))


def _insert(
    connection: Connection, caller: str, name: str, scopes: frozenset[str], rate: int | None, moment: datetime, expires: str | None
) -> Issued:
    key_id, secret = _chance(_ID_BYTES)[:_ID_LENGTH], _chance(_SECRET_BYTES)
    key = ApiKey(key_id, caller, name, secret_hash(secret), scopes, rate, stamp(moment), expires, None, None)
    row = {column.name: getattr(key, column.name) for column in api_keys.columns} | {"scopes": " ".join(sorted(scopes))}
    connection.execute(insert(api_keys).values(row))
    return Issued(key, f"{PREFIX}_{key_id}_{secret}")


def _find(connection: Connection, key_id: str) -> ApiKey:
    wanted = select(api_keys).where(api_keys.c.id == key_id)
    row = connection.execute(wanted).mappings().first() if _ID.fullmatch(key_id) else None
    if row is None:
        raise refuse("unknown_key", "KEY", f"there is no key {key_id[:40]!r}", "`tariff keys list` lists every key; name it by its id")
    return _key(row)


def _key(row: Mapping[Any, Any]) -> ApiKey:
    fields = {column.name: row[column.name] for column in api_keys.columns}
    return ApiKey(**{**fields, "scopes": frozenset(row["scopes"].split())})


def _check(caller: str, scopes: Collection[str], name: str, rate: int | None, days: int | None) -> None:
    if not _CALLER.fullmatch(caller):
        raise _wrong("caller", "a caller is named by 1 to 64 letters, digits and . _ @ -, and begins with a letter or a digit")
    if caller == LOCAL.name:
        raise _wrong("caller", f"{caller} is the caller of a server without keys, and no caller with one")
    if not scopes or not SCOPES.issuperset(scopes):
        raise _wrong("scope", f"a key has one or more of the scopes {', '.join(sorted(SCOPES))}")
    if len(name) > _MAX_NAME or not name.isprintable():
        raise _wrong("name", f"a name has at most {_MAX_NAME} printable characters")
    if rate is not None and not 1 <= rate <= MAX_RATE:
        raise _wrong("rate", f"a rate is 1 to {MAX_RATE:,} requests a minute")
    if days is not None and not 1 <= days <= MAX_DAYS:
        raise _wrong("expires", f"a key is valid for 1 to {MAX_DAYS:,} days, or until it is revoked")


def _wrong(field_name: str, message: str) -> ProblemError:
    return refuse("bad_parameter", field_name, message, f"state another {field_name}")
