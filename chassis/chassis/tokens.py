"""Bearer tokens: who acts, in which role, until when. JSON Web Tokens signed with HMAC-SHA-256 (RFC 7519)."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import OctKey

_ALGORITHM: Final = "HS256"
_ISSUER: Final = "stillwater"
_SHORTEST_KEY: Final = 32
"""RFC 7518 section 3.2: a key at least as long as the hash."""
_LONGEST_TOKEN: Final = 4096


class Role(StrEnum):
    STAFF = "staff"
    BILLING = "billing"
    CLINICIAN = "clinician"
    ENGINE = "engine"
    """A machine that takes questions and posts answers."""
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, and as what. `scopes` narrow what a program may do; people have none."""

    name: str
    role: Role
    scopes: frozenset[str] = frozenset()


class BadToken(ValueError):
    """A token that admits nobody. Its text may be shown to whoever sent it."""


def issue(key: str, actor: str, role: Role, ttl: timedelta, scopes: Iterable[str] = ()) -> str:
    """A token for `actor` in `role`, good for `ttl` from now by the machine's clock, and for these scopes alone."""
    if not actor:
        raise ValueError("a token needs the name of its actor")
    if ttl <= timedelta():
        raise ValueError("a token has to be good for longer than nothing")
    issued = time.time()
    claims: dict[str, str | int] = {
        "iss": _ISSUER,
        "sub": actor,
        "role": role.value,
        "iat": int(issued),
        "exp": int(issued + ttl.total_seconds()),
    }
    if wanted := sorted(set(scopes)):
        claims["scope"] = " ".join(wanted)  # RFC 8693, section 4.2
    return jwt.encode({"alg": _ALGORITHM}, claims, _signing_key(key), algorithms=[_ALGORITHM])


def verify(key: str, token: str) -> Actor:
    """The actor whom a token names. Raises BadToken with the reason, which holds nothing of the token."""
    signing_key = _signing_key(key)
    if len(token) > _LONGEST_TOKEN:
        raise BadToken("the token is too long")
    try:
        claims = jwt.decode(token, signing_key, algorithms=[_ALGORITHM]).claims
        _CLAIMS.validate(claims)
    except ExpiredTokenError:
        raise BadToken("the token has expired") from None
    except (JoseError, ValueError):
        raise BadToken("the token is not one that this clinic issued") from None
    try:
        return Actor(claims["sub"], Role(claims["role"]), frozenset(str(claims.get("scope", "")).split()))
    except ValueError:
        raise BadToken("the token names a role that is not known here") from None


_CLAIMS: Final = jwt.JWTClaimsRegistry(
    leeway=5,
    iss={"essential": True, "value": _ISSUER},
    sub={"essential": True},
    role={"essential": True},
    iat={"essential": True},
    exp={"essential": True},
)


@lru_cache(maxsize=4)
def _signing_key(key: str) -> OctKey:
    if len(key) < _SHORTEST_KEY:
        raise ValueError(f"the token key has {len(key)} characters; at least {_SHORTEST_KEY} are needed")
    return OctKey.import_key(key)
