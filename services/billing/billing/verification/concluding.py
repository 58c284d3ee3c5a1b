"""Keeping what was found about a coverage, and saying it: to the other services, and to a person where needed."""

from __future__ import annotations

from dataclasses import replace

from billing.benefits import changes
from billing.benefits.changes import Answered
from billing.clinic import Clinic
from billing.verification import changing, model, store
from billing.verification.answer import Finding, Outcome
from billing.verification.benefits import ServiceBenefit
from billing.verification.model import Reason, State, Step, Verification
from chassis.transaction import Transaction
from contracts.billing import (
    Benefit,
    CoverageChange,
    CoverageChanged,
    CoverageInactive,
    CoverageUndetermined,
    CoverageVerified,
    Owner,
    VerificationNeedsStaff,
)

ASK_AGAIN = "ask_again"
CHECK_AT_TURN = "check_at_turn"
TELL = "inquirer"
"""The outside that hears how a program's own question ended."""
CHANGED = "verifications_changed"
"""Wakes whoever shows verifications."""


async def conclude(tx: Transaction, one: Verification, finding: Finding, clinic: Clinic) -> Step:
    """Take the step that a finding asks for. Needs the patient's lock."""
    step = model.step(one, finding, tx.now, clinic)
    benefits = tuple(said(benefit) for benefit in finding.benefits)
    await store.take_step(tx.connection, one, finding, step, benefits, tx.now)
    if step.state is State.WAITING and step.asking_again_at is not None:
        await tx.set_timer(ASK_AGAIN, one.id, step.asking_again_at)
    tx.wake(CHANGED)
    if one.reason is Reason.ASKED:
        if step.state is State.CONCLUDED:
            await tx.ask_outside(TELL, one.id, {}, subject=one.patient_id)
        return step
    _say(tx, one, finding, step, benefits)
    if finding.outcome is not Outcome.UNDETERMINED:
        await _compare(tx, one, finding)
        await _plan_turn(tx, one, finding, clinic)
    if step.tell_person and step.tell_person != one.to_do:
        _tell_person(tx, one, step)
    return step


def _say(tx: Transaction, one: Verification, finding: Finding, step: Step, benefits: tuple[Benefit, ...]) -> None:
    match finding.outcome:
        case Outcome.ACTIVE:
            tx.emit(
                CoverageVerified(
                    verification_id=one.id,
                    coverage_id=one.coverage_id,
                    payer_id=one.payer_id or "",
                    payer=one.payer,
                    service_date=one.service_date,
                    plan=finding.plan.name,
                    active_from=finding.plan.begins,
                    active_to=finding.plan.ends,
                    benefits=benefits,
                    answered_at=tx.now,
                ),
                subject=one.patient_id,
            )
        case Outcome.INACTIVE:
            tx.emit(
                CoverageInactive(
                    verification_id=one.id,
                    coverage_id=one.coverage_id,
                    payer_id=one.payer_id or "",
                    payer=one.payer,
                    service_date=one.service_date,
                    cause=step.cause.sentence if step.cause else "",
                    owner=step.cause.owner if step.cause else Owner.PATIENT,
                    ended_on=finding.plan.ends if finding.plan.ends and finding.plan.ends < one.service_date else None,
                    answered_at=tx.now,
                ),
                subject=one.patient_id,
            )
        case Outcome.UNDETERMINED:
            _say_undetermined(tx, one, step)


async def _compare(tx: Transaction, one: Verification, finding: Finding) -> None:
    """Say what is different from the payer's last answer about this coverage, and whom that concerns."""
    before = await changing.last_answer(tx.connection, one)
    if before is None:
        return
    after = Answered(finding.outcome is Outcome.ACTIVE, finding.plan.name, finding.services)
    found = changes.changes(before, after)
    if not found:
        return
    what_to_do = changes.to_do(found, one.payer, {service.service: service.name for service in finding.services})
    await changing.keep(tx.connection, one, found, what_to_do, tx.now)
    tx.emit(
        CoverageChanged(
            verification_id=one.id,
            coverage_id=one.coverage_id,
            payer_id=one.payer_id or "",
            payer=one.payer,
            service_date=one.service_date,
            changes=tuple(CoverageChange(kind=it.kind, service=it.service, was=it.was, now=it.now) for it in found),
            what_to_do=what_to_do,
            answered_at=tx.now,
        ),
        subject=one.patient_id,
    )


async def _plan_turn(tx: Transaction, one: Verification, finding: Finding, clinic: Clinic) -> None:
    """A plan or a benefit year that ends amid a month is looked at when it has; the turn of a month is planned with
    the visits."""
    known = replace(one, plan_ends=finding.plan.ends, benefit_year_ends=finding.benefit_year_ends)
    turn = model.turn_check_at(known, clinic)
    if clinic.local(turn).day != 1:
        await tx.set_timer(CHECK_AT_TURN, one.patient_id, turn, sooner_only=True)  # another insurance may turn first


def _say_undetermined(tx: Transaction, one: Verification, step: Step) -> None:
    assert step.cause is not None
    tx.emit(
        CoverageUndetermined(
            verification_id=one.id,
            coverage_id=one.coverage_id,
            payer_id=one.payer_id,
            payer=one.payer,
            service_date=one.service_date,
            cause_code=step.cause.code,
            cause=step.cause.sentence,
            owner=step.cause.owner,
            asking_again_at=step.asking_again_at,
        ),
        subject=one.patient_id,
    )


def _tell_person(tx: Transaction, one: Verification, step: Step) -> None:
    assert step.cause is not None and step.tell_person is not None
    tx.emit(
        VerificationNeedsStaff(
            verification_id=one.id,
            coverage_id=one.coverage_id,
            cause_code=step.cause.code,
            what_to_do=step.tell_person,
        ),
        subject=one.patient_id,
    )


def said(benefit: ServiceBenefit) -> Benefit:
    """A benefit as it is told to others: the figures without their evidence."""
    share = benefit.coinsurance.value
    return Benefit(
        service_type=benefit.service_type,
        covered=benefit.covered.value,
        copay=benefit.copay.value,
        coinsurance=None if share is None else format(share.normalize(), "f"),
        deductible=benefit.deductible.value,
        deductible_remaining=benefit.deductible_remaining.value,
        out_of_pocket=benefit.out_of_pocket.value,
        out_of_pocket_remaining=benefit.out_of_pocket_remaining.value,
        authorization_required=benefit.authorization_required.value,
    )
