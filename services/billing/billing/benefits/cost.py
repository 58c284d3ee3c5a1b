"""What one visit would cost the patient, as a range. Pure.

The rules. D is what is left of the deductible, O what is left to the out-of-pocket limit, A what the payer allows for
the visit: a range too, from the clinic's contracts. The patient's share is

    D (at most A), then the copay, then coinsurance on what is left of A; never more than A, nor than O.

It is worked out twice: everything at its least, and everything at its most.

1. Not covered, or no visit left: the clinic's own price. That is what the payer says, not a guess.
2. The limit is reached (O is 0) for a covered service: nothing. Otherwise $0 comes only of figures that say so.
3. Neither copay nor coinsurance stated: unknown. So it is where another payer administers the service, or where it is
   not said whether it is covered. Mental health is often left out of an answer: unknown is never $0.
4. One of copay and coinsurance is enough: a plan states the one that it takes. Where both are stated, the least is with
   the cheaper of the two alone, the most with both.
5. Coinsurance comes after the deductible. Whether a copay does is not said, unless the deductible is the service's own
   (`EB*C*IND*MH***29*200`): at the least it does not, at the most it does.
6. D unknown: at the least nothing of it, at the most the whole deductible, or all of A where that is unknown as well.
   O unknown caps nothing. Figures in conflict: the least of them at the least, the most at the most.
7. Cover not said or contradictory, visits contradictory, no contract with this payer: at the most the clinic's price.
8. Another payer pays first, or a second insurance stands behind: at the least nothing (`by_service.lowered`).

Example: A from $165 to $260, `EB*A*IND*MH**27**.2`, `EB*C*IND*30***29*100`. At the least 100 + 20 % of 65 = $113, at
the most 100 + 20 % of 160 = $132.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, TypeVar

from billing.benefits.figures import Figures, Stated
from billing.benefits.services import Range, Service
from contracts.money import Money

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a visit would cost the patient. Unknown has neither `low` nor `high`, but why. `how` is one sentence a step;
    `evidence` are positions of segments in the answer.
    """

    low: Money | None = None
    high: Money | None = None
    unknown_because: str | None = None
    how: tuple[str, ...] = ()
    evidence: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Parts:
    """Everything at its least, or everything at its most; cents. `limit` None caps nothing."""

    allowed: int
    deductible: int
    copay: int
    coinsurance: Decimal
    limit: int | None

    def share(self) -> int:
        before = min(self.allowed, self.deductible)
        rest = self.allowed - before
        copay = self.copay if rest else 0
        part = int((self.coinsurance * rest).to_integral_value(ROUND_HALF_UP))
        return min(self.allowed, before + copay + part, *([] if self.limit is None else [self.limit]))


def cost(figures: Figures, service: Service, *, in_network: bool) -> Cost:
    """What a visit of this service would cost under these figures. `in_network`: the clinic has a contract."""
    if figures.covered.value is False:
        return _full_price(service.price, "The plan does not pay for it", figures.covered)
    if figures.visits_remaining.value == 0:
        return _full_price(service.price, "No visit is left that the plan pays for", figures.visits_remaining)
    if figures.covered.value and figures.out_of_pocket_remaining.value == _ZERO:
        said = "The out-of-pocket limit is reached: the plan pays everything that it covers."
        return _with_doubts(
            Cost(_ZERO, _ZERO, None, (said,), _evidence(figures.covered, figures.out_of_pocket_remaining)),
            figures,
            service,
            in_network,
        )
    if (because := _unknown(figures)) is not None:
        return because
    return _with_doubts(_shared(figures, service.allowed), figures, service, in_network)


_ZERO: Final = Money(cents=0)


def _evidence(*stated: Stated[T] | Stated[Money] | Stated[int] | Stated[bool] | Stated[Decimal]) -> tuple[int, ...]:
    return tuple(sorted({position for one in stated for position in one.evidence}))


def _full_price(price: Range, why: str, stated: Stated[bool] | Stated[int]) -> Cost:
    return Cost(price.low, price.high, None, (f"{why}: the clinic's own price.",), stated.evidence)


def _unknown(figures: Figures) -> Cost | None:
    if figures.copay.evidence or figures.coinsurance.evidence:
        return None
    if figures.administered_by.evidence:
        name = figures.administered_by.value or "another payer, which it does not name"
        return Cost(
            unknown_because=f"The payer leaves this service to {name}. Ask them.",
            evidence=figures.administered_by.evidence,
        )
    if figures.covered.in_conflict:
        why = "The payer says both that it is covered and that it is not."
    elif figures.covered.value is None:
        why = "The payer does not say whether it covers this service."
    else:
        why = "The payer covers it, but does not say what the patient pays."
    return Cost(unknown_because=why, evidence=figures.covered.evidence)


def _shared(figures: Figures, allowed: Range) -> Cost:
    how: list[str] = []
    evidence = _evidence(figures.copay, figures.coinsurance, figures.out_of_pocket_remaining)
    copay, coinsurance = _spread(figures.copay), _spread(figures.coinsurance)
    if copay:
        how.append(_said("Copay", copay, str))
    if coinsurance:
        how.append(_said("Coinsurance", coinsurance, percent, f" of {_between(allowed)} that payers allow"))
    least, most, from_segments = _deductible(figures, allowed, how)
    limit = _spread(figures.out_of_pocket_remaining)
    if limit:
        how.append(_said("At most", limit, str, " is left to the out-of-pocket limit"))
    highest = _Parts(
        allowed.high.cents,
        most,
        copay[1].cents if copay else 0,
        coinsurance[1] if coinsurance else Decimal(0),
        limit[1].cents if limit else None,
    )
    lowest = replace(highest, allowed=allowed.low.cents, limit=limit[0].cents if limit else None)
    alone: list[_Parts] = []
    if copay:
        before = least if figures.deductible_of_service else 0
        alone.append(replace(lowest, deductible=before, copay=copay[0].cents, coinsurance=Decimal(0)))
    if coinsurance:
        alone.append(replace(lowest, deductible=least, copay=0, coinsurance=coinsurance[0]))
    low = min(one.share() for one in alone)
    return Cost(
        Money(cents=low),
        Money(cents=max(low, highest.share())),
        None,
        tuple(how),
        tuple(sorted({*evidence, *from_segments})),
    )


def _deductible(figures: Figures, allowed: Range, how: list[str]) -> tuple[int, int, tuple[int, ...]]:
    """What is left of the deductible at the least and at the most, in cents, and by which segments."""
    left, whole = _spread(figures.deductible_remaining), _spread(figures.deductible)
    if left:
        least, most = left[0].cents, left[1].cents
        evidence = figures.deductible_remaining.evidence
        if most:
            how.append(_said("Deductible left", left, str))
    elif whole:
        least, most, evidence = 0, whole[1].cents, figures.deductible.evidence
        how.append(f"How much of the deductible of {whole[1]} is left is not said.")
    else:
        least, most, evidence = 0, allowed.high.cents, ()
        how.append("The deductible is not said: at the most, the patient pays all that the payer allows.")
    if most and figures.copay.evidence and not figures.deductible_of_service:
        how.append("Whether the deductible comes before the copay is not said.")
    return least, most, evidence


def _with_doubts(found: Cost, figures: Figures, service: Service, in_network: bool) -> Cost:
    """Whatever is not sure of the cover itself widens the range up to the clinic's own price."""
    doubts: list[str] = []
    if figures.covered.in_conflict:
        doubts.append("The payer says both that it is covered and that it is not: at the most, the clinic's own price.")
    elif figures.covered.value is None:
        doubts.append("That it is covered is not said as such: at the most, the clinic's own price.")
    if 0 in figures.visits_remaining.said:
        doubts.append("It is contradictory whether a visit is left: at the most, the clinic's own price.")
    if not in_network:
        doubts.append("The clinic has no contract with this payer: at the most, the clinic's own price.")
    high = service.price.high if doubts else found.high
    notes = ["Without an authorization beforehand the plan may pay nothing."] if _needs_authorization(figures) else []
    evidence = {*found.evidence, *(figures.covered.evidence if doubts else ())}
    if notes:
        evidence |= {*figures.authorization_required.evidence}
    return replace(found, high=high, how=(*found.how, *doubts, *notes), evidence=tuple(sorted(evidence)))


def _needs_authorization(figures: Figures) -> bool:
    return True in figures.authorization_required.said


def _spread(stated: Stated[T]) -> tuple[T, T] | None:
    return (stated.said[0], stated.said[-1]) if stated.said else None


def _said(what: str, spread: tuple[T, T], words: Callable[[T], str], rest: str = "") -> str:
    low, high = map(words, spread)
    return f"{what}: {low if low == high else f'{low} or {high}, which contradict each other'}{rest}."


def _between(amount: Range) -> str:
    return f"{amount.low} to {amount.high}" if amount.low != amount.high else f"{amount.low}"


def percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f} %"
