"""What to open once the house stands, and the local tokens that open it."""

from collections.abc import Mapping
from datetime import timedelta

from chassis.tokens import Role, issue

STAFF = (Role.STAFF, Role.CLINICIAN, Role.BILLING, Role.AUDITOR)
TOKEN_TERM = timedelta(days=7)


def token(key: str, role: Role) -> str:
    """A bearer token for a made-up actor in this role."""
    return issue(key, actor=f"local-{role}", role=role, ttl=TOKEN_TERM)


def doors(urls: Mapping[str, str], token_key: str) -> str:
    """The text that `make run` ends its start with.

    Tokens stand behind a `#`: browsers keep that part to themselves, so it reaches no server and no log.
    """
    console = urls["console"]
    lines = [
        "",
        f"  The form, as a patient sees it    {urls['intake']}/",
        f"  The outside world: mail, texts    {urls['sandbox']}/",
        "",
        "  The live page, by role:",
    ]
    lines += [f"    {role:<12} {console}/#token={token(token_key, role)}" for role in STAFF]
    lines += [
        "",
        "  A token for curl: .venv/bin/python -m deploy.local token clinician",
        "  Ctrl-C stops everything. The data stays until `make down CLEAN=1`.",
        "",
    ]
    return "\n".join(lines)
