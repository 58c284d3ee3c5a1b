"""What a payer's answer comes to: what staff are told to do, and from when to when the plan holds."""

from datetime import date

import pytest

from billing.payers.gateway import Reply
from billing.verification.answer import Finding, judge
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
