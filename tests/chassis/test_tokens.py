"""Tokens say who acts, in which role, until when."""

import time
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from chassis.tokens import Actor, BadToken, Role, issue, verify

KEY = "a key for signing tokens in tests, 32+"
HOUR = timedelta(hours=1)


def signed(key: str = KEY, algorithm: str = "HS256", **claims: object) -> str:
    now = int(time.time())
    usual = {"iss": "stillwater", "sub": "kim", "role": "staff", "iat": now, "exp": now + 60}
    whole = {name: claim for name, claim in {**usual, **claims}.items() if claim is not None}
    return jwt.encode({"alg": algorithm}, whole, OctKey.import_key(key), algorithms=[algorithm])


@pytest.mark.parametrize("role", Role)
def test_a_token_names_its_actor_and_role(role: Role):
    assert verify(KEY, issue(KEY, "kim", role, HOUR)) == Actor("kim", role)


def test_a_token_ends():
    with pytest.raises(BadToken, match="expired"):
        verify(KEY, signed(exp=int(time.time()) - 60))


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(signed(key="another key for signing tokens, 32+!"), id="signed with another key"),
        pytest.param(signed(key=KEY * 2, algorithm="HS512"), id="another algorithm"),
        pytest.param("eyJhbGciOiJub25lIn0.eyJzdWIiOiJraW0ifQ.", id="no algorithm"),
        pytest.param(signed(iss="elsewhere"), id="another issuer"),
        pytest.param(signed(exp=None), id="without an end"),
        pytest.param(signed(sub=None), id="without an actor"),
        pytest.param(signed(sub=""), id="with an empty actor"),
        pytest.param(signed(sub=["kim"]), id="with several actors"),
        pytest.param(signed(role=None), id="without a role"),
        pytest.param(signed(role="owner"), id="with a role that is not ours"),
        pytest.param(signed(role=["staff", "auditor"]), id="with several roles"),
        pytest.param(signed(exp="tomorrow"), id="with an end that is no time"),
        pytest.param(signed(iat=int(time.time()) + 3600), id="from the future"),
        pytest.param(signed()[:-1], id="cut short"),
        pytest.param("", id="empty"),
        pytest.param("a.b.c", id="garbage"),
        pytest.param("ü.ü.ü", id="not ASCII"),
        pytest.param("x" * 100_000, id="endless"),
    ],
)
def test_any_other_token_admits_nobody_and_is_not_repeated(forged: str):
    with pytest.raises(BadToken) as refused:
        verify(KEY, forged)
    assert not forged or forged not in str(refused.value)


def test_the_algorithm_is_not_the_senders_choice():
    with pytest.raises(BadToken):
        verify(KEY, signed(algorithm="HS384", key=KEY * 2))


def test_a_short_key_signs_nothing():
    with pytest.raises(ValueError, match="at least 32"):
        issue("short", "kim", Role.STAFF, HOUR)
    with pytest.raises(ValueError, match="at least 32"):
        verify("short", "x")


def test_a_token_needs_an_actor_and_a_time():
    with pytest.raises(ValueError, match="name"):
        issue(KEY, "", Role.STAFF, HOUR)
    with pytest.raises(ValueError, match="longer"):
        issue(KEY, "kim", Role.STAFF, timedelta())
