"""Who asks, and what they may do. The guard puts the caller into the scope of a request; routes ask for a scope."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from tariff_service.api.problems import Refusal

KEY = "tariff.caller"  # where the caller stands in an ASGI scope
SCOPES = frozenset({"assess", "read", "admin"})


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner of a key. `name` is what the audit store writes down; `key` is the id of the key, never the key."""

    name: str
    scopes: frozenset[str]
    key: str = ""

    @property
    def sees(self) -> str | None:
        """Whose records the caller may read: None is everybody's."""
        return None if "admin" in self.scopes else self.name


LOCAL = Caller("local", SCOPES)  # on loopback, where no key is asked for


def caller_of(request: HTTPConnection, scope: str) -> Caller:
    """Return who asks. Raises Refusal where no key was shown, or the key lacks the scope."""
    caller = request.scope.get(KEY)
    if not isinstance(caller, Caller):
        raise Refusal("unauthenticated", "this server answers only callers with a key", headers={"WWW-Authenticate": "Bearer"})
    if scope not in caller.scopes and "admin" not in caller.scopes:
        raise Refusal("forbidden", f"the key lacks the scope {scope}", fix=f"use a key with the scope {scope}")
    return caller
