"""Causes as they stand now: that a payer is down, since when, and when it is tried again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from billing.clinic import Clinic
from billing.payers.gateway import PASSING
from billing.payers.saying import cause_now
from billing.payers.watch import read_health
from billing.verification.shown import CoverageShown, VerificationShown
from chassis.pages import Saying


@dataclass(frozen=True, slots=True)
class CausesNow:
    """Says times on the clinic's clock. Reads how payers do once, and only where it matters."""

    clinic: Clinic
    now: Callable[[], datetime]

    async def of_verifications(
        self, connection: asyncpg.Connection, shown: Sequence[VerificationShown]
    ) -> list[VerificationShown]:
        if not any(one.cause_code in PASSING for one in shown):
            return list(shown)
        health = await read_health(connection)
        saying = Saying(self.now(), self.clinic.time_zone)
        return [
            one.model_copy(
                update={
                    "cause": cause_now(
                        one.cause_code,
                        one.cause,
                        one.payer,
                        health.get(one.payer_id or ""),
                        one.asking_again_at,
                        saying,
                    )
                }
            )
            for one in shown
        ]

    async def of_coverages(self, connection: asyncpg.Connection, shown: Sequence[CoverageShown]) -> list[CoverageShown]:
        last = [one.verification for one in shown if one.verification]
        told = {one.verification_id: one for one in await self.of_verifications(connection, last)}
        return [
            one.model_copy(update={"verification": told[one.verification.verification_id]}) if one.verification else one
            for one in shown
        ]
