"""After the acceptance: delivery, its signed callbacks, and what people text back."""

import asyncio
import logging
from typing import TYPE_CHECKING

from sandbox.carrier.messages import API_VERSION, Message, Messages
from sandbox.carrier.numbers import Fate, Numbers
from sandbox.carrier.signature import sign
from sandbox.patience import Patience
from sandbox.settings import Settings

if TYPE_CHECKING:
    import httpx

CALLBACK_SECONDS = 15
"""Twilio gives a webhook 15 s to answer."""
AT_ONCE = 32

log = logging.getLogger(__name__)


class Deliveries:
    """Hands messages over in the background and tells whoever asked to be told.

    As with the real carrier, a callback whose connection fails is tried once more and then lost.
    """

    def __init__(self, settings: Settings, messages: Messages, numbers: Numbers, patience: Patience) -> None:
        self._settings = settings
        self._messages = messages
        self._numbers = numbers
        self._patience = patience
        self._under_way: set[asyncio.Task[None]] = set()
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._client: httpx.AsyncClient | None = None

    def dispatch(self, message: Message) -> None:
        task = asyncio.create_task(self._deliver(message))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def receive(self, sender: str, to: str, body: str, url: str) -> tuple[Message, int | None]:
        """Take a text from a person and post it to `url`; gives it with the HTTP status of the answer, if any.

        A bare STOP or START is honoured, and confirmed to its sender, before the webhook hears of it.
        """
        account = self._settings.carrier_account
        message = Message(account, to, sender, body, direction="inbound", status="received")
        self._messages.add(message)
        if self._settings.carrier_handles_opt_out:
            self._confirm(message, self._numbers.hear(sender, body))
        parameters = {
            **_identity(message),
            "Body": body,
            "NumMedia": "0",
            "NumSegments": str(message.segments),
            "SmsMessageSid": message.sid,
            "SmsStatus": "received",
        }
        return message, await self._post(url, parameters) if url else None

    async def close(self) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    async def _deliver(self, message: Message) -> None:
        half = self._settings.carrier_delivery_seconds / 2
        await self._patience.wait(half)
        message.become("sent")
        await self._report(message)
        await self._patience.wait(half)
        failure = self._numbers.failure(message.to)
        message.become("undelivered" if failure else "delivered", failure)
        await self._report(message)

    async def _report(self, message: Message) -> None:
        if message.status_callback and not self._patience.ended:
            parameters = {**_identity(message), "MessageStatus": message.status, "SmsStatus": message.status}
            if message.error_code:
                parameters["ErrorCode"] = str(message.error_code)
            await self._post(message.status_callback, parameters)

    def _confirm(self, heard: Message, fate: Fate | None) -> None:
        if fate is None:
            return
        text = (
            "You have successfully been unsubscribed. You will not receive any more messages from this number. "
            "Reply START to resubscribe."
            if fate is Fate.OPTED_OUT
            else "You have successfully been re-subscribed to messages from this number."
        )
        reply = Message(heard.account, heard.sender, heard.to, text, "outbound-reply")
        self._messages.add(reply)
        self.dispatch(reply)

    async def _post(self, url: str, parameters: dict[str, str]) -> int | None:
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(timeout=CALLBACK_SECONDS, trust_env=False)
        signature = sign(self._settings.callback_key, url, parameters)
        headers = {"X-Twilio-Signature": signature, "User-Agent": "TwilioProxy/1.1"}
        for _ in range(2):
            try:
                async with self._at_once:
                    answer = await self._client.post(url, data=parameters, headers=headers)
            except httpx.ConnectError:
                continue
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                log.warning("callback failed: %s", type(error).__name__)
                return None
            return answer.status_code
        log.warning("callback lost: nobody listens")
        return None


def _identity(message: Message) -> dict[str, str]:
    return {
        "AccountSid": message.account,
        "ApiVersion": API_VERSION,
        "From": message.sender,
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "To": message.to,
    }
