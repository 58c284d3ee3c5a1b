"""The SMS carrier: Twilio's Messages API, 2010-04-01."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from chassis.outside import OutsideRefused, OutsideUnavailable
from notify.settings import NotifySettings

_CLOCKS_DIFFER: Final = timedelta(minutes=5)
_LOOKED_AT: Final = 20
"""Latest messages to a number among which a repeat is looked for."""
_OUR_OWN_FAULT: Final = frozenset({401, 403, 404, 408, 429})
"""Answers that say something about our account or the moment, not about the message."""

OPTED_OUT: Final = "carrier_21610"
"""The carrier itself was told STOP."""


class Carrier:
    """Texts by one account of a carrier. Its connections live as long as the process."""

    def __init__(self, settings: NotifySettings, from_number: str) -> None:
        self._token = settings.carrier_token.get_secret_value()
        self._account = settings.carrier_account
        self._base = settings.carrier_url.rstrip("/")
        self._public_url = settings.public_url
        self._from = from_number
        self._client = httpx.AsyncClient(
            auth=(self._account, self._token), timeout=settings.carrier_seconds, trust_env=False
        )

    async def send(self, text: str, to: str, message_id: str) -> str:
        """Returns the carrier's id of the text. Raises OutsideUnavailable, OutsideRefused (`carrier_<code>`)."""
        form = {
            "To": to,
            "From": self._from,
            "Body": text,
            "StatusCallback": f"{self._public_url}/carrier/status?message={message_id}",
        }
        return (await self._ask("POST", data=form))["sid"]

    async def find(self, text: str, to: str, since: datetime) -> str | None:
        """The id of a text that the carrier took from us already, if it did: this API takes no idempotency key.

        The API wants the number in the query; nothing of ours writes this URL anywhere.
        """
        seen = await self._ask("GET", params={"To": to, "From": self._from, "PageSize": str(_LOOKED_AT)})
        for one in seen.get("messages", ()):
            if one.get("body") == text and parsedate_to_datetime(one["date_created"]) >= since - _CLOCKS_DIFFER:
                return one["sid"]
        return None

    async def became(self, sid: str) -> tuple[str, str]:
        """Status and error code of a text that it took; no code is "". Raises OutsideUnavailable, OutsideRefused."""
        text = await self._ask("GET", f"Messages/{sid}.json")
        return str(text.get("status", "")), str(text.get("error_code") or "")

    def signed(self, path_and_query: str, parameters: Mapping[str, str], signature: str) -> bool:
        """Whether the carrier signed this callback (X-Twilio-Signature: HMAC-SHA1 of the URL and the parameters)."""
        said = self._public_url + path_and_query + "".join(name + parameters[name] for name in sorted(parameters))
        digest = hmac.new(self._token.encode(), said.encode(), hashlib.sha1).digest()
        return hmac.compare_digest(base64.b64encode(digest), signature.encode())

    async def _ask(self, method: str, path: str = "Messages.json", **request: Any) -> dict[str, Any]:
        url = f"{self._base}/2010-04-01/Accounts/{self._account}/{path}"
        try:
            answer = await self._client.request(method, url, **request)
        except httpx.TimeoutException:
            raise OutsideUnavailable("carrier_timed_out") from None
        except httpx.HTTPError:
            raise OutsideUnavailable("carrier_unreachable") from None
        if answer.is_success:
            return _json(answer)
        if answer.is_client_error and answer.status_code not in _OUR_OWN_FAULT:
            raise OutsideRefused(f"carrier_{_json(answer).get('code', answer.status_code)}")
        raise OutsideUnavailable(f"carrier_http_{answer.status_code}")


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        raise OutsideUnavailable("carrier_answer_unreadable") from None
    if not isinstance(content, dict):
        raise OutsideUnavailable("carrier_answer_unreadable")
    return content
