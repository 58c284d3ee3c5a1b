"""What a payer's answer comes to: what staff are told to do, and from when to when the plan holds."""

from datetime import date

import pytest

from billing.payers.gateway import Reply
from billing.verification.answer import Finding, Outcome, Plan, judge
from billing.verification.question import Asked, Insured
from contracts.billing import Owner
from tests.billing.x12_samples import HEADER, SUBSCRIBER, interchange, joined, transaction

DAY = date(2026, 11, 25)
ADA = Insured("Ada Okafor", date(1985, 2, 14), "SUN123456")


def judged(*body: str) -> Finding:
    answer = joined(interchange(transaction([*HEADER, *SUBSCRIBER, *body])))
    return judge(Reply(answer), Asked(ADA, "T-1001", DAY, ("30", "MH")), "Sunrise Health")


@pytest.mark.parametrize(
    ("reasons", "owner", "to_do"),
    [
        ("58 71", Owner.PATIENT, "The birth date differs from the payer's: ask the patient."),
        ("64 72", Owner.PATIENT, "Check it against the card"),
        ("65 73", Owner.PATIENT, "The name differs from the payer's."),
        ("75", Owner.PATIENT, "The payer does not know this person."),
        ("42 80", Owner.PAYER, "The payer's system is down, and nothing is wrong with the question."),
        ("41 50", Owner.STAFF, "whether the clinic is enrolled"),
        ("43 45 47 48 51", Owner.STAFF, "Check its NPI, name and enrolment"),
        ("79", Owner.STAFF, "Check the identifiers agreed with the clearinghouse"),
        ("Q9", Owner.STAFF, "The payer says: reason Q9, which is not in the standard's list."),
    ],
)
def test_what_to_do_about_a_rejection_is_for_whoever_can_mend_it(reasons: str, owner: Owner, to_do: str) -> None:
    for reason in reasons.split():
        cause = judged(f"AAA*N**{reason}*C").cause
        assert cause is not None and cause.to_do is not None
        assert (cause.code, cause.owner) == (f"aaa_{reason}", owner)
        assert to_do in cause.to_do


@pytest.mark.parametrize(
    ("dates", "begins", "ends"),
    [
        ([], date(2026, 1, 1), None),  # the person's own
        (["DTP*291*RD8*20260101-20261231"], date(2026, 1, 1), date(2026, 12, 31)),
        # Of several years, the one of the day asked about; the status looks at the same.
        (["DTP*291*RD8*20250101-20251231", "DTP*291*RD8*20260101-20261231"], date(2026, 1, 1), date(2026, 12, 31)),
        (["DTP*291*RD8*20260101-20261231", "DTP*291*RD8*20270101-20271231"], date(2026, 1, 1), date(2026, 12, 31)),
        # Two that both hold: until the later one ends.
        (["DTP*291*RD8*20260101-20261231", "DTP*307*RD8*20260701-20270630"], date(2026, 7, 1), date(2027, 6, 30)),
    ],
)
def test_the_plan_holds_from_and_to_the_days_that_its_status_rests_on(
    dates: list[str], begins: date, ends: date | None
) -> None:
    found = judged("EB*1**30**GOLD PPO", *dates)
    assert found.outcome is Outcome.ACTIVE
    assert found.plan == Plan("GOLD PPO", begins, ends)
