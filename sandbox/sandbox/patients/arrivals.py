"""The trickle: people who come to the clinic while it answers, so many a minute."""

import logging
import random
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.patience import Patience
from sandbox.patients.people import People, Person
from sandbox.patients.photographs import photograph_apart
from sandbox.patients.submission import NotTaken, Photos, Submitted, submit
from sandbox.payer.members import Register
from sandbox.settings import Settings

if TYPE_CHECKING:
    import httpx

FORM_SECONDS = 30
FIRST_WAIT, LONGEST_WAIT = 0.5, 10.0
"""Between tries at a clinic that does not answer, in seconds; doubled each time."""
KEPT = 1000

log = logging.getLogger(__name__)


class Arrivals:
    """Registers each insured person with their payer, then sends their form."""

    def __init__(self, settings: Settings, register: Register, patience: Patience) -> None:
        self._settings = settings
        self._register = register
        self._patience = patience
        self._chance = random.Random(settings.seed)
        self._people: People | None = None
        self._client: httpx.AsyncClient | None = None
        self.arrived = 0
        self.latest: deque[dict[str, Any]] = deque(maxlen=KEPT)

    async def trickle(self) -> None:
        """Until cancelled. A person who finds the clinic closed comes again."""
        if not self._settings.intake_url or not self._settings.patients_per_minute:
            return
        mean = 60 / self._settings.patients_per_minute
        while not self._patience.ended:
            await self.bring(next(self.people))
            await self._patience.wait(mean * self._chance.uniform(0.5, 1.5))

    async def bring(self, person: Person) -> Submitted | None:
        """Let one person fill in the form, coming again while the clinic is closed. None if it refused them."""
        import httpx

        member = person.membership()
        if member is not None:
            self._register.add(member)
        photos = await self._photos(person)
        wait = FIRST_WAIT
        while not self._patience.ended:
            try:
                submitted = await submit(self._http(), self._settings.intake_url, person, photos)
            except NotTaken as refusal:
                if refusal.status < 500:
                    log.warning("the form refused a patient (%s): HTTP %d", person.scenario, refusal.status)
                    return None
            except httpx.HTTPError as error:
                log.debug("the clinic does not answer: %s", type(error).__name__)
            else:
                self._note(person, submitted)
                return submitted
            await self._patience.wait(wait)
            wait = min(wait * 2, LONGEST_WAIT)
        return None

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    @property
    def intake_url(self) -> str:
        return self._settings.intake_url

    @property
    def people(self) -> People:
        """Made when first wanted: Faker is slow to load."""
        if self._people is None:
            self._people = People(self._settings.seed)
        return self._people

    def _http(self) -> "httpx.AsyncClient":
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(timeout=FORM_SECONDS, trust_env=False)
        return self._client

    async def _photos(self, person: Person) -> Photos:
        if person.card is None:
            return {}
        try:
            return await photograph_apart(person.card_fields(), person.card, person.seed)
        except (RuntimeError, OSError) as error:
            log.warning("no card photos: %s", error)
            return {}

    def _note(self, person: Person, submitted: Submitted) -> None:
        self.arrived += 1
        self.latest.append(
            {
                "at": datetime.now(UTC),
                "scenario": person.scenario,
                "reference": submitted.reference,
                "patient_id": submitted.patient_id,
            }
        )
