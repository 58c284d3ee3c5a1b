"""What to open once the house stands, and the local tokens that open it."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from chassis.tokens import Role, issue
from deploy.local.topology import SANDBOX, SERVICES

ON_THE_LIVE_PAGE = (Role.STAFF, Role.CLINICIAN, Role.BILLING)
ON_THE_WORKLIST = (Role.BILLING, Role.STAFF)
TOKEN_TERM = timedelta(days=7)


def token(key: str, role: Role, scopes: Iterable[str] = ()) -> str:
    """A bearer token for a made-up actor in this role, for these scopes alone."""
    return issue(key, actor=f"local-{role}", role=role, ttl=TOKEN_TERM, scopes=scopes)


def doors(urls: Mapping[str, str], token_key: str) -> str:
    """The text that `make run` ends its start with.

    Tokens stand behind a `#`: browsers keep that part to themselves, so it reaches no server and no log.
    """
    lines = [
        "",
        f"  The form, as a patient sees it       {urls['intake']}/",
        f"  What patients get: letters, texts    {urls[SANDBOX]}/mailbox   {urls[SANDBOX]}/carrier",
        f"  Payers, and how to make them fail    {urls[SANDBOX]}/",
        "",
        "  The live page, signed in as",
        *(f"    {role:<11}{urls['console']}/sign-in#token={token(token_key, role)}" for role in ON_THE_LIVE_PAGE),
        "",
        "  Billing's worklist of insurance, signed in as",
        *(
            f"    {role:<11}{urls['billing']}/sign-in?next=/worklist#token={token(token_key, role)}"
            for role in ON_THE_WORKLIST
        ),
        "",
        "  The interface of each service (OpenAPI) is open to whoever has a token:",
        *(f"    {service:<11}{urls[service]}/openapi.json" for service in SERVICES),
        '    curl -H "Authorization: Bearer $(.venv/bin/python -m deploy.local token staff)" ADDRESS',
        f"    Roles: {', '.join(Role)}.",
        "",
        "  Ctrl-C stops everything. The data stays until `make down CLEAN=1`.",
        "",
    ]
    return "\n".join(lines)
