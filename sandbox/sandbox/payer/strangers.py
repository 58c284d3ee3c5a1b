"""Answering for people whom nobody registered: at once, or with misbehaviour drawn by a seed. For load."""

from enum import StrEnum
from hashlib import blake2b

from pydantic import BaseModel, ConfigDict, Field

from sandbox.payer.catalogue import Catalogue, Dependent, Member, Payer
from sandbox.payer.inquiry import Asked, Inquiry, parse_date
from sandbox.payer.members import Register

COVERED = "covered"
_UNBORN = parse_date("19000101")


class Whom(StrEnum):
    MEMBERS = "members"
    """The members on record, each by their own scenario."""
    INSTANT = "instant"
    """Whoever is asked about is covered, and answered for at once."""
    MIX = "mix"
    """Whoever is asked about is a member; their scenario is drawn by the seed from their payer and number."""


class Mode(BaseModel):
    """Whom the gateway answers for, set by `PUT /control/payer/mode`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Whom = Whom.MEMBERS
    seed: int = 1
    share: float = Field(default=0.05, gt=0, le=1)
    """Of the members that each scenario of the mix gets; whoever is left is covered."""
    scenarios: tuple[str, ...] = ()
    """What is drawn from; the mix of scenarios.yaml, if absent."""

    def problem_with(self, catalogue: Catalogue) -> str | None:
        """Why this cannot be drawn from, in words; None if it can."""
        if unknown := [name for name in self.scenarios if name not in catalogue.scenarios]:
            return f"no scenario is called {unknown[0]!r}; there are {', '.join(catalogue.scenarios)}"
        drawn = self.scenarios or catalogue.mix
        if self.mode is Whom.MIX and len(drawn) * self.share > 1 + 1e-9:
            return f"{len(drawn)} scenarios of a share of {self.share} each are more than all there is"
        return None


class Strangers:
    """Takes whoever is asked about for a member: as on record if they are, else as the question describes them."""

    def __init__(self, mode: Mode, catalogue: Catalogue, register: Register) -> None:
        self._seed, self._share = mode.seed, mode.share
        self._drawn_from = (mode.scenarios or catalogue.mix) if mode.mode is Whom.MIX else ()
        self._register = register

    def member(self, payer: Payer, inquiry: Inquiry) -> Member:
        number = inquiry.subscriber.member_id.upper()
        scenario = self._draw(payer, number)
        known = self._register.find(payer.key, number)
        return known.model_copy(update={"scenario": scenario}) if known else _as_asked(payer, inquiry, scenario)

    def _draw(self, payer: Payer, number: str) -> str:
        if not self._drawn_from:
            return COVERED
        drawn = blake2b(f"{self._seed}/{payer.key}/{number}".encode(), digest_size=8).digest()
        place = int(int.from_bytes(drawn) / 2**64 / self._share)
        return self._drawn_from[place] if place < len(self._drawn_from) else COVERED


def _as_asked(payer: Payer, inquiry: Inquiry, scenario: str) -> Member:
    # Without the checks: what a question holds has passed the gateway's own, and thousands a second are made.
    asked, dependent = inquiry.subscriber, inquiry.dependent
    return Member.model_construct(
        payer=payer.key,
        member_id=asked.member_id.upper(),
        first=asked.first_name,
        last=asked.last_name,
        born=asked.birth_date or _UNBORN,
        scenario=scenario,
        dependents=(_dependent(dependent),) if dependent else (),
    )


def _dependent(asked: Asked) -> Dependent:
    return Dependent.model_construct(first=asked.first_name, last=asked.last_name, born=asked.birth_date or _UNBORN)
