"""One line for each notable event on the streams, so that the terminal shows a place that is alive."""

import asyncio
from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaError

NOTABLE = {
    "intake.submitted": "a person asks for help",
    "intake.risk_flagged": "a person is in danger: a clinician is being paged",
    "billing.coverage_verified": "the insurance answered: covered",
    "billing.coverage_inactive": "the insurance answered: not active",
    "billing.coverage_undetermined": "the insurance gave no answer yet",
    "billing.verification_needs_staff": "a coverage question needs a person",
    "scheduling.appointment_booked": "an appointment is booked",
    "notify.message_failed": "a message did not reach its patient",
    "notify.page_acknowledged": "a clinician acknowledged the page",
    "notify.page_escalated": "nobody acknowledged the page: it goes to the next in line",
}
_AGAIN_SECONDS = 5.0


async def tick(bootstrap: str, topics: Sequence[str], say: Callable[[str], None]) -> None:
    """Until cancelled. Reads from now on, in no group; a broker that is away is waited for."""
    while True:
        try:
            async with AIOKafkaConsumer(*topics, bootstrap_servers=bootstrap) as consumer:
                async for record in consumer:
                    if line := describe(record):
                        say(line)
        except KafkaError:
            await asyncio.sleep(_AGAIN_SECONDS)


def describe(record: "ConsumerRecord[bytes, bytes]") -> str | None:
    """The event in words and the end of its subject's id, or None if it is not worth a line.

    Takes nothing from the body: names and contacts are in there.
    """
    headers = dict(record.headers)
    kind = headers.get("ce_type", b"").decode(errors="replace").rpartition(".v")[0]
    text = NOTABLE.get(kind)
    if text is None:
        return None
    subject = headers.get("ce_subject", b"").decode(errors="replace")
    return f"…{subject[-6:]}  {text}"
